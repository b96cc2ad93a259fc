/** Upper bounds for what takes from a tenth of a millisecond to ten seconds, in seconds. */
export const secondsOfCommands: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** What a distribution has come to so far. */
export interface Distribution {
  /** Upper bounds of the buckets, ascending; what is above the last one has a bucket of its own. */
  readonly bounds: readonly number[];
  /** Values in each bucket alone, one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts values by how large they are, at the cost of a few comparisons. Never shrinks. */
export class Histogram implements Distribution {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** @param value in the unit of the bounds; one that equals a bound is below it */
  observe(value: number): void {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i++;
    counts[i] = (counts[i] as number) + 1;
    this.sum += value;
  }
}
