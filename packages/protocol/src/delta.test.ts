import { Centrifuge as JsonClient } from 'centrifuge';
import { Centrifuge as ProtobufClient } from 'centrifuge/build/protobuf';
import { describe, expect, it } from 'vitest';
import { applyDelta } from './delta.testing.ts';
import { createDelta } from './delta.ts';
import { randomFrom, seedOfRun } from './random.testing.ts';

/** The part of the official client that undoes deltas; what it gives is the new base for the next one. */
interface ClientCodec {
  applyDeltaIfNeeded(pub: { delta: true; data: unknown }, base: Uint8Array): { newPrevValue: Uint8Array };
}

function codecOf(client: object): ClientCodec {
  return (client as { _codec: ClientCodec })._codec;
}

const jsonCodec = codecOf(new JsonClient('ws://127.0.0.1:1'));
const protobufCodec = codecOf(new ProtobufClient('ws://127.0.0.1:1'));
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const seed = seedOfRun();
console.log(`delta: SEED=${seed}`);
const random = randomFrom(seed);

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

/** What the official client makes of a patch on a binary connection. */
function undoneByClient(base: Uint8Array, patch: Uint8Array): Buffer {
  return Buffer.from(protobufCodec.applyDeltaIfNeeded({ delta: true, data: patch }, base).newPrevValue);
}

/** Checks a patch, if there is one, with both decoders. */
function check(base: Uint8Array, target: Uint8Array): Uint8Array | undefined {
  const patch = createDelta(base, target);
  if (patch === undefined) return undefined;
  expect(patch.length).toBeLessThan(target.length);
  expect(Buffer.from(applyDelta(base, patch)).equals(target)).toBe(true);
  expect(undoneByClient(base, patch).equals(target)).toBe(true);
  return patch;
}

/** Some edits of a list of bytes or characters: taken out, put in, changed, moved, doubled. */
function edited<T>(items: readonly T[], fresh: () => T): T[] {
  let out = [...items];
  for (let edits = random.int(4); edits >= 0; edits--) {
    const at = random.int(out.length + 1);
    const piece = out.slice(at, at + random.pick([1, 3, 20, 200]));
    const added = Array.from({ length: random.pick([1, 5, 40]) }, fresh);
    const rest = out.toSpliced(at, piece.length);
    const to = random.int(rest.length + 1);
    out = random.pick([
      (): T[] => rest,
      (): T[] => out.toSpliced(at, 0, ...added),
      (): T[] => rest.toSpliced(at, 0, ...added),
      (): T[] => rest.toSpliced(to, 0, ...piece),
      (): T[] => out.toSpliced(to, 0, ...piece),
    ])();
  }
  return out;
}

describe('createDelta', () => {
  it('writes the Fossil format', () => {
    const base = bytes('0123456789abcdefghijklmnopqrstuvwxyz');
    const target = bytes('0123456789abcdef--ghijklmnopqrstuvwxyz');
    // 38 bytes: copy 16 from 0, insert 2, copy 20 from 16.
    expect(Buffer.from(createDelta(base, target)!).toString()).toMatch(/^b\nG@0,2:--K@G,[0-9A-Z_a-z~]+;$/);
    expect(Buffer.from(check(target, base)!).toString()).toMatch(/^_\nG@0,K@I,/);
  });

  it('is small for equal payloads and for small edits of large ones', () => {
    const text = JSON.stringify({ user: 42, text: random.bytes(1000).toString('hex') });
    expect(check(bytes(text), bytes(text))!.length).toBeLessThan(20);
    const changed = `${text.slice(0, 900)}!${text.slice(902, 1500)}?${text.slice(1500)}`;
    expect(check(bytes(text), bytes(changed))!.length).toBeLessThan(60);
  });

  it('finds what was moved', () => {
    const [a, b, c] = [random.bytes(300), random.bytes(300), random.bytes(300)];
    const patch = check(Buffer.concat([a!, b!, c!]), Buffer.concat([c!, a!, bytes('new'), b!]));
    expect(patch!.length).toBeLessThan(100);
  });

  it('finds what stands at no multiple of a block', () => {
    const ascii = (length: number): Buffer => bytes(random.bytes(length).toString('hex').slice(length));
    const piece = ascii(31);
    for (let shift = 0; shift < 16; shift++) {
      const base = Buffer.concat([ascii(100 + shift), piece, ascii(100)]);
      const target = Buffer.concat([ascii(9), piece, ascii(9)]);
      const patch = check(base, target);
      // All 31 bytes of the piece are copied: 18 bytes are inserted.
      expect(patch!.length).toBeLessThan(18 + 2 * 2 + 7 + 10);
    }
  });

  it('gives nothing where it gains nothing', () => {
    const base = random.bytes(500);
    expect(createDelta(base, random.bytes(500))).toBeUndefined();
    expect(createDelta(base, bytes(''))).toBeUndefined();
    expect(createDelta(bytes(''), base)).toBeUndefined();
    expect(createDelta(bytes(''), bytes(''))).toBeUndefined();
    expect(createDelta(bytes('{}'), bytes('{}'))).toBeUndefined();
    expect(createDelta(bytes('short'), bytes('short'))).toBeUndefined();
  });

  it('is never as large as the target', () => {
    const base = random.bytes(100);
    let smallest = Infinity;
    for (let kept = 0; kept <= 40; kept++) {
      for (let added = 0; added <= 20; added++) {
        const [same, other] = [base.subarray(0, kept), random.bytes(added)];
        for (const target of [Buffer.concat([same, other]), Buffer.concat([other, same])]) {
          if (check(base, target) !== undefined) smallest = Math.min(smallest, target.length);
        }
      }
    }
    // A size, a copy and a checksum take some 14 bytes.
    expect(smallest).toBeLessThan(20);
  });

  it('is undone for random bytes and edits', () => {
    let patches = 0;
    for (let i = 0; i < 500; i++) {
      const base = random.bytes(random.pick([0, 10, 16, 17, 100, 500, 5000]));
      if (check(base, Buffer.from(edited([...base], () => random.int(256)))) !== undefined) patches++;
    }
    expect(patches).toBeGreaterThan(50);
  });

  it('is undone for bytes that all look like the middle of a character', () => {
    let patches = 0;
    for (let i = 0; i < 200; i++) {
      const fresh = (): number => 0x80 + random.int(random.pick([2, 64]));
      const base = Array.from({ length: 300 }, fresh);
      if (check(Buffer.from(base), Buffer.from(edited(base, fresh))) !== undefined) patches++;
    }
    expect(patches).toBeGreaterThan(20);
  });

  it('is undone for repetitive payloads', () => {
    let patches = 0;
    for (let i = 0; i < 200; i++) {
      const fresh = (): number => random.int(2);
      const base = Array.from({ length: 400 }, fresh);
      if (check(Buffer.from(base), Buffer.from(edited(base, fresh))) !== undefined) patches++;
    }
    expect(patches).toBeGreaterThan(50);
  });

  it('takes no quadratic time for repetitive payloads', () => {
    const zeros = Buffer.alloc(2_000_000);
    // Each run of zeros is found at 125 000 places of the base.
    const runs = Buffer.concat(
      Array.from({ length: 50_000 }, () => Buffer.concat([zeros.subarray(0, 40), bytes('x')])),
    );
    expect(Buffer.from(applyDelta(zeros, createDelta(zeros, runs)!)).equals(runs)).toBe(true);
  });

  it('finds every piece of a large base', () => {
    const base = bytes(random.bytes(150_000).toString('hex'));
    const pieces = Array.from({ length: base.length / 32 }, (_, i) => base.subarray(i * 32, i * 32 + 32));
    const patch = check(base, Buffer.concat(pieces.toReversed()))!;
    // A copy for each: a size of one digit, an offset of at most four, two signs.
    expect(patch.length).toBeLessThan(pieces.length * 7 + 20);
    // The table that was made for it does not get in the way of the next one.
    const small = base.subarray(0, 500);
    const swapped = Buffer.concat([small.subarray(200), small.subarray(0, 200)]);
    expect(check(small, swapped)!.length).toBeLessThan(40);
  });

  it('holds no piece of what it was made from', () => {
    const base = random.bytes(200);
    const target = Buffer.concat([base, bytes('tail')]);
    const patch = createDelta(base, target)!;
    const before = Buffer.from(patch).toString('hex');
    target.fill(0);
    expect(Buffer.from(patch).toString('hex')).toBe(before);
  });
});

describe('as text of a JSON connection', () => {
  const characters = ['a', 'б', 'ж', 'Б', 'é', '中', '😀', '😁', '🙀', '👩‍👩‍👧', '"', '\\', '\n', '\ufeff', ' '];
  const text = (length: number): string[] => Array.from({ length }, () => random.pick(characters));

  /** Sends a patch as the text that it is, and lets the official client undo it. */
  const checkText = (base: string, target: string): boolean => {
    const patch = createDelta(bytes(base), bytes(target));
    if (patch === undefined) return false;
    const data = strictUtf8.decode(patch);
    const sent = JSON.parse(JSON.stringify({ data })) as { data: string };
    const made = jsonCodec.applyDeltaIfNeeded({ delta: true, data: sent.data }, bytes(base)).newPrevValue;
    expect(Buffer.from(made).toString()).toBe(target);
    return true;
  };

  it('splits no character', () => {
    // Neighbours of one byte's difference, in the first, a middle and the last byte of a character.
    const pairs = [
      ['б', 'в'],
      ['п', 'р'],
      ['😀', '😁'],
      ['😀', '🦀'],
      ['中', '丮'],
      ['é', 'Ã'],
    ] as const;
    for (const [old, changed] of pairs) {
      const around = JSON.stringify(`${'привет, мир '.repeat(4)}${old}${' до свидания'.repeat(4)}`);
      expect(checkText(around, around.replace(old, changed))).toBe(true);
    }
  });

  it('splits no character of what was moved', () => {
    const [a, b] = [text(60), text(60)].map((list) => list.join(''));
    const json = (...parts: string[]): string => JSON.stringify(parts.join(''));
    // The piece is found again, with bytes before and after it that look alike and are not.
    expect(checkText(json('😀', a!, '😁', b!, '🦀'), json('🦁', b!, '😁', 'ж', a!, '🙀'))).toBe(true);
  });

  it('is UTF-8 and undone for random edits', () => {
    let patches = 0;
    for (let i = 0; i < 500; i++) {
      const base = text(random.pick([10, 40, 200, 1000]));
      const target = edited(base, () => random.pick(characters));
      if (checkText(JSON.stringify(base.join('')), JSON.stringify(target.join('')))) patches++;
    }
    expect(patches).toBeGreaterThan(50);
  });

  it('is UTF-8 and undone for text of few characters that share bytes', () => {
    let patches = 0;
    for (let i = 0; i < 300; i++) {
      const few = random.pick([
        ['😀', '😁'],
        ['б', 'в', 'р'],
        ['中', '丮', '串'],
      ]);
      const base = Array.from({ length: 80 }, () => random.pick(few));
      const target = edited(base, () => random.pick(few));
      if (checkText(JSON.stringify(base.join('')), JSON.stringify(target.join('')))) patches++;
    }
    expect(patches).toBeGreaterThan(50);
  });
});

describe('applyDelta', () => {
  const base = bytes('0123456789abcdefghijklmnopqrstuvwxyz');

  it.each([
    ['nothing', ''],
    ['no size', ';'],
    ['a size without its newline', 'c'],
    ['no checksum', 'G\nG@0,'],
    ['an unknown operator', 'G\nG!0,0;'],
    ['a copy without its comma', 'G\nG@0;0;'],
    ['a copy from beyond the base', 'G\nG@L,0;'],
    ['an insert of more than there is', 'G\nG:abc'],
    ['an insert without a size to speak of', '~~~~~~~~~~~~\n~~~~~~~~~~~~:abc'],
    ['more than the size', '5\nG@0,0;'],
    ['less than the size', 'H\nG@0,0;'],
    ['a wrong checksum', 'G\nG@0,0;'],
  ])('refuses a patch with %s', (_, patch) => {
    expect(() => applyDelta(base, bytes(patch))).toThrow(/delta/);
  });

  it('refuses a patch for another base', () => {
    const patch = createDelta(base, bytes('0123456789abcdef--ghijklmnopqrstuvwxyz'))!;
    expect(() => applyDelta(bytes('9'.repeat(40)), patch)).toThrow(/does not fit/);
  });

  it('refuses a patch whose size is another than it says', () => {
    const target = bytes('0123456789abcdef--ghijklmnopqrstuvwxyz');
    const patch = Buffer.from(createDelta(base, target)!).toString();
    expect(Buffer.from(applyDelta(base, bytes(patch))).equals(target)).toBe(true);
    expect(() => applyDelta(base, bytes(patch.replace('b\n', 'c\n')))).toThrow(/does not fit/);
    // A copy of more than there is, with the checksum of all there is.
    const whole = Buffer.from(createDelta(base, base)!).toString();
    expect(() => applyDelta(base, bytes(whole.replace('_\n_@', 'b\nb@')))).toThrow(/bounds/);
  });

  it('refuses what would grow beyond its size, before it is made', () => {
    const greedy = bytes(`1\n${'_@0,'.repeat(1000)}0;`);
    expect(() => applyDelta(base, greedy)).toThrow(/bounds/);
  });
});
