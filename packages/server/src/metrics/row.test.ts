import { Histogram } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { exposition, type DistributionRow, type NumberRow } from './row.ts';

describe('a metric as Prometheus reads it', () => {
  const seconds = new Histogram([0.01, 1]);
  for (const value of [0.005, 0.01, 0.5, 4]) seconds.observe(value);

  it('escapes what a label may not hold', () => {
    const row: NumberRow<string> = {
      type: 'gauge',
      name: 'build',
      help: 'Help.',
      labels: ['version', 'kind'],
      read: (version) => ({ [`${version}:x`]: Infinity }),
    };
    expect(exposition(row, 'gyre_build', 'a"b\\c\nd').split('\n')).toEqual([
      '# HELP gyre_build Help.',
      '# TYPE gyre_build gauge',
      'gyre_build{version="a\\"b\\\\c\\nd",kind="x"} +Inf',
    ]);
  });

  const row = (type: 'histogram' | 'summary', labels: string[], key: string): DistributionRow<null> => ({
    type,
    name: 't',
    help: 'Help.',
    labels,
    read: () => ({ [key]: seconds }),
  });

  it('shows a distribution by cumulative buckets', () => {
    expect(exposition(row('histogram', ['method'], 'connect'), 't', null).split('\n')).toEqual([
      '# HELP t Help.',
      '# TYPE t histogram',
      't_bucket{method="connect",le="0.01"} 2',
      't_bucket{method="connect",le="1"} 3',
      't_bucket{method="connect",le="+Inf"} 4',
      't_sum{method="connect"} 4.515',
      't_count{method="connect"} 4',
    ]);
  });

  it('shows a summary by its number and sum', () => {
    expect(
      exposition(row('summary', [], ''), 't', null)
        .split('\n')
        .slice(1),
    ).toEqual(['# TYPE t summary', 't_sum 4.515', 't_count 4']);
  });
});
