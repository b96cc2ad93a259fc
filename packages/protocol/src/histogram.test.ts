import { expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

it('puts each value below the first bound that it does not pass', () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0.5, 1, 1.5, 5, 7, 100]) histogram.observe(value);
  expect(histogram).toEqual({ bounds: [1, 2, 5], counts: [2, 1, 1, 2], sum: 115 });
});
