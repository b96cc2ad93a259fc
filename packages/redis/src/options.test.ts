import { describe, expect, it } from 'vitest';
import { parseShards, shardName } from './options.ts';
import type { RedisOptions } from './options.ts';
import { testOptions } from './testing.ts';

const none = { user: '', password: '', db: 0 };
const parse = (address: string | string[], more: Partial<RedisOptions> = {}) =>
  parseShards(testOptions(address, more));

describe('addresses', () => {
  it.each([
    ['localhost:6380', { ...none, kind: 'server', endpoint: { host: 'localhost', port: 6380 } }],
    ['localhost', { ...none, kind: 'server', endpoint: { host: 'localhost', port: 6379 } }],
    ['redis://h', { ...none, kind: 'server', endpoint: { host: 'h', port: 6379 } }],
    ['redis://[::1]:7', { ...none, kind: 'server', endpoint: { host: '::1', port: 7 } }],
    ['[::1]:7', { ...none, kind: 'server', endpoint: { host: '::1', port: 7 } }],
    [
      'redis://ann:p%40ss@h:1/3',
      { user: 'ann', password: 'p@ss', db: 3, kind: 'server', endpoint: { host: 'h', port: 1 } },
    ],
    [
      'redis://:secret@h',
      { ...none, password: 'secret', kind: 'server', endpoint: { host: 'h', port: 6379 } },
    ],
    ['rediss://h:1', { ...none, tls: {}, kind: 'server', endpoint: { host: 'h', port: 1 } }],
    ['/run/redis.sock', { ...none, kind: 'server', endpoint: { path: '/run/redis.sock' } }],
    ['unix:///run/redis.sock', { ...none, kind: 'server', endpoint: { path: '/run/redis.sock' } }],
    [
      'redis+sentinel://:p@a:1?sentinel_master_name=m&addr=b:2&sentinel_user=s&sentinel_password=t',
      {
        ...none,
        password: 'p',
        kind: 'sentinel',
        master: 'm',
        sentinelUser: 's',
        sentinelPassword: 't',
        sentinels: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
    [
      'redis+cluster://a:1?addr=b:2',
      {
        ...none,
        kind: 'cluster',
        seeds: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
      },
    ],
  ])('%s', (address, expected) => {
    expect(parse(address)).toEqual([expected]);
  });

  it('take the options where they say nothing of their own', () => {
    const options = { user: 'u', password: 'p', db: 2, tls: { ca: 'pem' } };
    const endpoint = { host: 'h', port: 6379 };
    expect(parse('h', options)).toEqual([{ ...options, kind: 'server', endpoint }]);
    expect(parse('rediss://v:q@h/5', options)).toEqual([
      { user: 'v', password: 'q', db: 5, tls: { ca: 'pem' }, kind: 'server', endpoint },
    ]);
  });

  it('are shards where there are several', () => {
    expect(parse(['redis://a', 'b:2', 'redis+cluster://c']).map(shardName)).toEqual([
      'a:6379',
      'b:2',
      'cluster c:6379',
    ]);
  });

  it('of Clusters and Sentinels stand above the others', () => {
    const clusters = { cluster_address: ['a:1,b:2', 'redis://c:3'] };
    expect(parse('x', clusters).map(shardName)).toEqual(['cluster a:1,b:2', 'cluster c:3']);
    const sentinels = { sentinel_address: ['a:1,b', 'c'], sentinel_master_name: 'm' };
    expect(parse('x', sentinels).map(shardName)).toEqual(['sentinel a:1,b:26379 m', 'sentinel c:26379 m']);
  });

  it.each([
    [['http://h'], {}, 'no address of Redis'],
    [['redis://h?ad=1'], {}, 'no parameter ad'],
    [['redis://h/x'], {}, 'no database x'],
    [['user:secret@h'], {}, 'no host:port'],
    [['redis+sentinel://h'], {}, 'sentinel_master_name'],
    [['x'], { sentinel_address: ['a'] }, 'sentinel_master_name'],
    [['redis://secret:secret@h:99999999'], {}, 'no URL'],
    [[], {}, 'no address'],
    [['h'], { prefix: 'a{b}' }, 'no braces'],
  ])('%j %j: refused, and no password is shown', (address, more, message) => {
    expect(() => parse(address, more)).toThrow(message);
    expect(() => parse(address, more)).not.toThrow('secret');
  });

  it('show no password in names', () => {
    const names = parse(['redis://u:secret@h', 'redis+cluster://u:secret@h']).map(shardName);
    expect(names.join()).not.toContain('secret');
  });
});
