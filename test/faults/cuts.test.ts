import { describe, expect, it } from 'vitest';
import type { Streams } from './checks.ts';
import { firstUnseen, toldInVain } from './cuts.ts';
import { newLedger, type Ledger, type Seen } from './ledger.ts';

const of = { at: 0, subscriber: 'a', channel: 'c' };
const began: Seen = {
  ...of,
  kind: 'subscribed',
  epoch: 'E',
  offset: 0,
  recovered: false,
  wasRecovering: false,
};
const told: Seen = {
  ...of,
  kind: 'subscribed',
  epoch: 'F',
  offset: 1,
  recovered: false,
  wasRecovering: true,
};
const recovered: Seen = { ...told, recovered: true };
const got = (id: string, offset: number): Seen => ({
  ...of,
  kind: 'publication',
  id,
  offset,
  recovered: false,
});

function ledger(...seen: Seen[]): Ledger {
  const made = newLedger();
  made.seen.push(...seen);
  return made;
}

/** The channel's stream: a letter for each publication. */
function stream(ids: string): Streams {
  const publications = ids.split('').map((id, n) => ({ id, offset: n + 1 }));
  return new Map([['c', { epoch: 'F', offset: publications.length, publications }]]);
}

describe('told in vain is who', () => {
  it('has nothing but what the stream still has', () => {
    expect(toldInVain(ledger(began, got('x', 1), told), stream('xy'))).toEqual(['a in c at 1']);
  });

  it('not who has more, or something else, or nothing', () => {
    expect(toldInVain(ledger(began, got('x', 1), got('z', 2), told), stream('xy'))).toEqual([]);
    expect(toldInVain(ledger(began, got('x', 1), told), stream(''))).toEqual([]);
    expect(toldInVain(ledger(began, told), stream('x'))).toEqual([]);
  });

  it('not who was not told', () => {
    expect(toldInVain(ledger(began, got('x', 1), recovered), stream('xy'))).toEqual([]);
  });
});

describe('the first of a new stream was not seen by who', () => {
  it('was told behind it', () => {
    expect(firstUnseen(ledger(began, got('x', 1), told, got('z', 2)), stream('yz'))).toEqual(['a y']);
  });

  it('not who got it before or after that', () => {
    expect(firstUnseen(ledger(began, got('x', 1), got('y', 1), told), stream('yz'))).toEqual([]);
    expect(firstUnseen(ledger(began, got('x', 1), told, got('y', 1)), stream('yz'))).toEqual([]);
    expect(firstUnseen(ledger(began, told), stream(''))).toEqual([]);
  });
});
