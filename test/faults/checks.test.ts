import { describe, expect, it } from 'vitest';
import { check, checkConvergence, type Allowed, type Streams } from './checks.ts';
import type { Ledger, Outcome, Seen } from './ledger.ts';

/** A ledger of one channel, told step by step; identifiers are the letters of its publications. */
class Story {
  readonly ledger: Ledger = { sent: [], seen: [] };
  #streams: Streams = new Map([['c', { epoch: 'E', offset: 0, publications: [] }]]);

  sent(id: string, outcome: Outcome): this {
    const seq = this.ledger.sent.length + 1;
    this.ledger.sent.push({ channel: 'c', seq, id, sentAt: 0, doneAt: 0, attempts: 1, outcome });
    return this;
  }

  /** Acknowledged at offsets from `first` on. */
  acked(ids: string, epoch = 'E', first = 1): this {
    for (const [n, id] of ids.split('').entries()) this.sent(id, { kind: 'ok', offset: first + n, epoch });
    return this;
  }

  #saw(event: object, subscriber: string): this {
    this.ledger.seen.push({ at: 0, subscriber, channel: 'c', ...event } as Seen);
    return this;
  }

  subscribed(offset: number, epoch = 'E', subscriber = 'a'): this {
    return this.#saw(
      { kind: 'subscribed', offset, epoch, recovered: false, wasRecovering: false },
      subscriber,
    );
  }

  recovered(offset: number, epoch = 'E'): this {
    return this.#saw({ kind: 'subscribed', offset, epoch, recovered: true, wasRecovering: true }, 'a');
  }

  told(offset: number, epoch = 'E'): this {
    return this.#saw({ kind: 'subscribed', offset, epoch, recovered: false, wasRecovering: true }, 'a');
  }

  left(): this {
    return this.#saw({ kind: 'left', code: 1 }, 'a');
  }

  got(id: string, offset: number, more: { subscriber?: string; recovered?: boolean } = {}): this {
    const { subscriber = 'a', recovered = false } = more;
    return this.#saw({ kind: 'publication', id, offset, recovered }, subscriber);
  }

  stream(ids: string, epoch = 'E'): this {
    const publications = ids.split('').map((id, n) => ({ id, offset: n + 1 }));
    this.#streams = new Map([['c', { epoch, offset: publications.length, publications }]]);
    return this;
  }

  /** Names of the checks that find something, each once. */
  found(allowed?: Allowed): string[] {
    return [...new Set(this.verdict(allowed).findings.map((finding) => finding.check))].toSorted();
  }

  verdict(allowed?: Allowed) {
    return check(this.ledger, this.#streams, allowed);
  }
}

const story = () => new Story();

describe('a ledger in which all is well', () => {
  it('has no findings', () => {
    const { counts, findings } = story()
      .acked('xyz')
      .stream('xyz')
      .subscribed(0)
      .got('x', 1)
      .left()
      .recovered(1)
      .got('y', 2, { recovered: true })
      .got('z', 3)
      .verdict();
    expect(findings).toEqual([]);
    expect(new Set(Object.values(counts))).toEqual(new Set([0]));
  });

  it('may begin anywhere, and go on under a new epoch', () => {
    const goes = story().acked('xyz').acked('w', 'F', 4).stream('xyzw', 'F');
    goes.subscribed(2).got('z', 3).left().recovered(3, 'F').got('w', 4, { recovered: true });
    expect(goes.found()).toEqual([]);
  });

  it('may hold what nobody knows the outcome of, once', () => {
    const unknown = story().sent('x', { kind: 'unknown' }).sent('y', { kind: 'error', code: 100 });
    expect(unknown.stream('x').subscribed(0).got('x', 1).found()).toEqual([]);
  });
});

describe('C1 finds', () => {
  it('what did not come, at the end or before a later one', () => {
    const { counts, findings } = story().acked('xyz').stream('xyz').subscribed(0).got('x', 1).verdict();
    expect(counts.lost).toBe(2);
    expect(findings.map(({ text }) => text)).toEqual([
      'a did not get y, at 2 of c',
      'a did not get z, at 3 of c',
    ]);
    expect(story().acked('xyz').stream('xyz').subscribed(0).got('x', 1).got('z', 3).found()).toEqual([
      'C1',
      'C2',
    ]);
  });

  it('a recovery that was none', () => {
    const hole = story().acked('xy').stream('xy').subscribed(0).got('x', 1).left().recovered(2);
    expect(hole.found()).toEqual(['C1']);
  });

  it('what was acknowledged and is gone, unless the fault destroys', () => {
    const gone = story().acked('xy').stream('x').subscribed(0).got('x', 1);
    expect(gone.found()).toEqual(['C1']);
    expect(gone.found({ destroys: true })).toEqual([]);
    expect(gone.verdict({ destroys: true }).counts.destroyed).toBe(1);
  });

  it('nothing in what came before the beginning, or after the end', () => {
    const part = story().acked('xyz').stream('xyz').subscribed(1).got('y', 2).left();
    expect(part.found()).toEqual([]);
    expect(story().acked('xyz').stream('xyz').subscribed(0).left().told(3).found({ told: 1 })).toEqual([]);
  });
});

describe('C2 finds', () => {
  it('what came twice', () => {
    const twice = story().acked('x').stream('x').subscribed(0).got('x', 1).got('x', 1);
    expect(twice.found()).toEqual(['C2']);
    expect(twice.verdict().counts.doubled).toBe(1);
    expect(twice.verdict().counts.strays).toBe(1);
  });

  it('twice across a recovery', () => {
    const twice = story().acked('x').stream('x').subscribed(0).got('x', 1).left().recovered(0);
    expect(twice.got('x', 1, { recovered: true }).found()).toEqual(['C2']);
  });

  it('an offset that does not follow', () => {
    const jump = story().acked('x').stream('x').subscribed(1).got('x', 1);
    expect(jump.found()).toEqual(['C2']);
  });

  it('nothing where a lost stream is told of right after', () => {
    const fresh = story().acked('xy').acked('z', 'F', 1).stream('z', 'F');
    fresh.subscribed(0).got('x', 1).got('y', 2).got('z', 1);
    expect(fresh.found({ destroys: true })).toEqual(['C2']);
    expect(fresh.left().told(1, 'F').found({ destroys: true, told: 1 })).toEqual([]);
    expect(fresh.found({ told: 1 })).toEqual(['C1', 'C2']);
  });
});

describe('C3 finds', () => {
  it('a sequential publisher out of order', () => {
    const turned = story()
      .sent('x', { kind: 'ok', offset: 2, epoch: 'E' })
      .sent('y', { kind: 'ok', offset: 1, epoch: 'E' })
      .stream('yx');
    expect(turned.subscribed(0).got('y', 1).got('x', 2).found()).toEqual(['C3']);
  });
});

describe('C4 finds', () => {
  it('two subscribers who disagree', () => {
    const two = story().sent('x', { kind: 'unknown' }).sent('y', { kind: 'unknown' });
    two.subscribed(0).subscribed(0, 'E', 'b').got('x', 1).got('y', 1, { subscriber: 'b' });
    expect(two.found()).toEqual(['C4']);
  });

  it('a stream that is not what was acknowledged', () => {
    const turned = story().sent('x', { kind: 'unknown' }).sent('y', { kind: 'ok', offset: 1, epoch: 'E' });
    expect(turned.stream('xy').found()).toEqual(['C4']);
  });

  it('a silent rollback', () => {
    // Five were delivered; Redis came back with three of them, and others took the places of the rest.
    const rolled = story().acked('abcde').acked('xyz', 'E', 4).stream('abcxyz');
    for (const [n, id] of 'abcde'.split('').entries()) {
      if (n === 0) rolled.subscribed(0);
      rolled.got(id, n + 1);
    }
    expect(rolled.got('z', 6).found({ destroys: true })).toContain('C4');
  });
});

describe('C5 finds', () => {
  it('what nobody sent', () => {
    expect(story().subscribed(0).got('x', 1).found()).toEqual(['C5']);
    expect(story().stream('x').found()).toEqual(['C5']);
  });

  it('what lies in the stream twice', () => {
    expect(story().sent('x', { kind: 'unknown' }).stream('xx').found()).toEqual(['C5']);
  });
});

describe('C6 finds', () => {
  it('more or fewer who are told than the fault allows', () => {
    const told = story().acked('x').stream('x').subscribed(0).got('x', 1).left().told(1);
    expect(told.found()).toEqual(['C6']);
    expect(told.found({ told: 1 })).toEqual([]);
    expect(told.found({ told: [1, 3] })).toEqual([]);
    expect(told.found({ told: 2 })).toEqual(['C6']);
  });

  it('a fresh start that was passed over in silence', () => {
    expect(story().subscribed(0).left().subscribed(0).found()).toEqual(['C6']);
  });

  it('a place that has no epoch', () => {
    expect(story().subscribed(0, '').found()).toEqual(['C6']);
    expect(story().subscribed(0).left().recovered(0, '').found()).toEqual(['C6']);
  });
});

it('C7 finds what has not come to the same', () => {
  const facts = [
    { what: 'nodes', is: [1, 2], should: [1, 2] },
    { what: 'clients', is: 2, should: 3 },
  ];
  expect(checkConvergence(facts)).toEqual([{ check: 'C7', text: 'clients is 2, to be 3' }]);
});
