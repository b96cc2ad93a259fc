import { describe, expect, test } from 'vitest';
import { load, loadErrors } from './testing.ts';

/** Warnings of a file, without where a value came from. */
const bare = (text: string) => text.replace(/ \(set by [^)]*\)/, '');
const engine = (redis: object, type = 'redis') => ({ engine: { type, redis } });

describe('a Redis that cannot be reached by what is written', () => {
  test.each<[object, string]>([
    [
      { sentinel_address: ['a:26379'] },
      'engine.redis.sentinel_master_name: needed where engine.redis.sentinel_address is set',
    ],
    [{ address: ['http://u:p@x'] }, 'engine.redis.address: http://… is no address of Redis'],
    [{ address: ['redis://x/one'] }, 'engine.redis.address: redis://x: no database one'],
    [{ cluster_address: ['a:1,b c'] }, 'engine.redis.cluster_address: an address of Redis is no host:port'],
    [{ prefix: 'a{b}' }, 'engine.redis.prefix: has no "{" and no "}"'],
  ])('%j', (redis, message) => {
    expect(loadErrors({ file: engine(redis) }).map(bare)).toEqual([message]);
    expect(load({ file: engine(redis, 'memory') }).config.engine.type).toBe('memory');
  });

  test('every address of several is looked at', () => {
    expect(loadErrors({ file: engine({ address: ['a:1', 'ftp://b', 'ftp://c'] }) })).toHaveLength(2);
  });

  test.each<object>([
    { address: ['127.0.0.1:6379', 'rediss://u:p@h:1/2', '/run/redis.sock'] },
    { sentinel_address: ['a,b:1'], sentinel_master_name: 'm' },
    { cluster_address: ['a:1,b:1', 'c:1'] },
    { address: ['redis+sentinel://a:1?sentinel_master_name=m'] },
  ])('%j is fine', (redis) => {
    expect(load({ file: engine(redis) }).warnings).toEqual([]);
  });
});

test('of several ways to Redis one counts, and the others are told', () => {
  const redis = { address: ['a:1'], sentinel_address: ['b:1'], cluster_address: ['c:1'] };
  expect(load({ file: engine(redis) }).warnings.map(bare)).toEqual(
    ['sentinel_address', 'address'].map(
      (way) => `engine.redis.${way}: not used, since engine.redis.cluster_address is set and stands above it`,
    ),
  );
});

describe('a Redis that nobody uses', () => {
  const warning = (...paths: string[]) => [
    `engine.type: "memory", so nodes do not hear one another; without effect: ${paths.join(', ')}`,
  ];

  test('is a warning, by the names of what is set', () => {
    const set = { address: ['redis://127.0.0.1:6379'], password: 'x' };
    const paths = ['engine.redis.address', 'engine.redis.password'];
    expect(load({ file: { engine: { redis: set } } }).warnings).toEqual(warning(...paths));
    expect(load({ file: engine(set, 'memory') }).warnings.map(bare)).toEqual(warning(paths[1] ?? ''));
    expect(load({ argv: ['--redis_db', '1'] }).warnings).toEqual(warning('engine.redis.db'));
  });

  test('is none where nothing of it is set', () => {
    expect(load({ file: { engine: { type: 'memory' } } }).warnings).toEqual([]);
    expect(load({ file: engine({ password: 'x' }) }).warnings).toEqual([]);
  });
});

test('names of the oldest releases lead to those of today, wherever they are written', () => {
  const told = [
    expect.stringContaining('is an option no longer, "redis_address" (engine.redis.address) takes'),
  ];
  expect(loadErrors({ file: { redis_host: 'a' } })).toEqual(told);
  expect(loadErrors({ env: { CENTRIFUGO_REDIS_PORT: '6380' } })).toEqual(told);
  expect(loadErrors({ argv: ['--redis_host', 'a'] })).toEqual(told);
});
