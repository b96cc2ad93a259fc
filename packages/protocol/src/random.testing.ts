/** Random values for tests, all drawn from one seed. */
export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number;
  /** True in one of `n` cases. */
  oneIn(n: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(length: number): Buffer;
  /** Text of all kinds of characters, often empty, now and then long. */
  text(): string;
}

/** The seed of this run: `SEED` of the environment, else a new one. Tests print it, so that a failure can be had again. */
export function seedOfRun(): number {
  return Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
}

/** Makes a source of random values; the same seed gives the same values. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  // A Weyl sequence, mixed: short, and good enough for test data.
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  const int = (below: number): number => next() % below;
  const pick = <T>(items: readonly T[]): T => items[int(items.length)] as T;
  const characters = [
    'a',
    'Z',
    '0',
    ':',
    ' ',
    '"',
    '\\',
    '\n',
    '\u0000',
    '\ufeff',
    'é',
    'ж',
    '中',
    '😀',
    '👩‍👩‍👧',
  ];
  return {
    int,
    pick,
    oneIn: (n) => int(n) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => int(256))),
    text: () => {
      const length = pick([0, 0, 1, 3, 20, 20, 60, int(300)]);
      return Array.from({ length }, () => pick(characters)).join('');
    },
  };
}
