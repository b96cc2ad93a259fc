import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisError } from './errors.ts';
import { script } from './script.ts';
import { redisKey } from './slots.ts';
import { useStage } from './stage.testing.ts';
import { startProxy, startRedis, until } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import { runId } from './types.ts';
import type { RedisShards, Shard } from './types.ts';

let server: OwnRedis;
const folder = mkdtempSync(join(tmpdir(), 'gyre-lua-'));
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** A shard, a tag and a key. */
function somewhere(redis: RedisShards, name = 'n'): { shard: Shard; tag: string; key: string } {
  const { shard, tag } = redis.place(name);
  return { shard, tag, key: redisKey(redis.prefix, tag, 'test', name) };
}

/** Resolves to what a call was refused with. */
function refusalOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'it was done',
    (error: unknown) => error,
  );
}

const refused = (outcome: 'none' | 'unknown', code = ''): unknown =>
  expect.objectContaining({ name: 'RedisError', outcome, code });

describe('commands', () => {
  const stage = useStage();

  it('carry text, bytes, numbers and the run_id of the process that answers', async () => {
    const { shard, tag, key } = somewhere(await stage.open(server.url));
    const bytes = Uint8Array.from({ length: 258 }, (_, i) => i);
    await shard.call(tag, ['RPUSH', key, 'größe\r\n', bytes.subarray(1, 257), 2 ** 53 - 1, runId, '']);
    const list = (await shard.call(tag, ['LRANGE', key, 0, -1])) as Buffer[];
    expect(list.map((item) => item.toString('latin1'))).toEqual([
      Buffer.from('größe\r\n').toString('latin1'),
      Buffer.from(bytes.subarray(1, 257)).toString('latin1'),
      '9007199254740991',
      /run_id:(\w+)/.exec(await server.admin.info('server'))?.[1],
      '',
    ]);
    expect(await shard.call(tag, ['LLEN', key])).toBe(5);
    expect(await shard.call(tag, ['GET', `${key}-none`])).toBeNull();
  });

  it('run in the order of the calls, on each lane', async () => {
    const { shard, tag, key } = somewhere(await stage.open(server.url));
    const count = 1000;
    await Promise.all(Array.from({ length: count }, (_, i) => shard.call(tag, ['RPUSH', key, i])));
    const list = (await shard.call(tag, ['LRANGE', key, 0, -1], 'read')) as Buffer[];
    expect(list.map(Number)).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('that Redis refuses did not run', async () => {
    const { shard, tag, key } = somewhere(await stage.open(server.url));
    await shard.call(tag, ['SET', key, 'text']);
    expect(await refusalOf(shard.call(tag, ['LPUSH', key, 1]))).toEqual(refused('none', 'WRONGTYPE'));
    expect(await refusalOf(shard.call(tag, ['NOSUCHCOMMAND']))).toEqual(refused('none', 'ERR'));
  });

  it('of which nothing is heard are unknown, and run once', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const { shard, tag, key } = somewhere(await stage.open(proxy.url, { io_timeout: 400 }));
    await shard.call(tag, ['SET', key, 1]);
    proxy.mute('all');
    const calls = [shard.call(tag, ['INCR', key]), shard.call(tag, ['INCR', key])];
    expect(await Promise.all(calls.map(refusalOf))).toEqual([refused('unknown'), refused('unknown')]);
    // The connection that says nothing is replaced, and what was written to it is not written again.
    expect(await shard.call(tag, ['INCR', key])).toBe(4);
  });

  it('end when the connection breaks, not later', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const { shard, tag, key } = somewhere(await stage.open(proxy.url, { io_timeout: 50_000 }));
    await shard.call(tag, ['SET', key, 1]);
    proxy.mute('all');
    const call = shard.call(tag, ['INCR', key]);
    await until(async () => (await server.admin.get(key)) === '2');
    proxy.cut();
    expect(await refusalOf(call)).toEqual(refused('unknown'));
    expect(await shard.call(tag, ['INCR', key])).toBe(3);
  });

  it('wait for a connection that is being made again, and not for one that is long gone', async () => {
    const proxy = stage.keep(await startProxy(server.port));
    const { shard, tag, key } = somewhere(await stage.open(proxy.url, { io_timeout: 1000 }));
    await shard.call(tag, ['SET', key, 1]);
    proxy.shut();
    await until(async () => {
      const error = await refusalOf(shard.call(tag, ['PING']));
      return error instanceof RedisError && error.outcome === 'none';
    });
    // Once it has been away for a second the answer comes before any timer.
    await until(async () => {
      const answer = refusalOf(shard.call(tag, ['INCR', key]));
      const turn = new Promise((resolve) => setImmediate(resolve, 'later'));
      const first = await Promise.race([answer, turn]);
      expect(await answer).toEqual(refused('none'));
      return first !== 'later';
    });
    proxy.open();
    await until(() =>
      shard.call(tag, ['PING']).then(
        () => true,
        () => false,
      ),
    );
    expect(await shard.call(tag, ['INCR', key])).toBe(2);
    proxy.cut();
    // The break may be seen before the command is sent, or after.
    const outcome = await refusalOf(shard.call(tag, ['PING']));
    if (outcome !== 'it was done') expect(outcome).toEqual(refused('unknown'));
    expect(String(await shard.call(tag, ['PING']))).toBe('PONG');
  });

  it('are refused after the end, and a start without Redis is no failure', async () => {
    const redis = await stage.open('redis://127.0.0.1:1', { connect_timeout: 200, io_timeout: 300 });
    const { shard, tag } = somewhere(redis);
    const call = refusalOf(shard.call(tag, ['PING']));
    await redis.close();
    await redis.close();
    expect(await call).toEqual(refused('none'));
    expect(await refusalOf(shard.call(tag, ['PING']))).toEqual(refused('none'));
    expect(stage.warnings).toHaveLength(1);
    expect(stage.warnings[0]).toContain('127.0.0.1:1');
  });

  it('go to the shard of their name, always the same one', async () => {
    const other = stage.keep(await startRedis());
    const redis = await stage.open([server.url, other.url]);
    const counts = [0, 0];
    for (let i = 0; i < 1000; i++) counts[redis.place(`channel ${i}`).shard.index]!++;
    expect(Math.min(...counts)).toBeGreaterThan(400);
    const { shard, tag, key } = somewhere(redis, 'c');
    await shard.call(tag, ['SET', key, 'here']);
    const found = await Promise.all([server, other].map(({ admin }) => admin.get(key)));
    expect(found[shard.index]).toBe('here');
    expect(found[1 - shard.index]).toBeNull();
    // One more shard takes names, and moves none between the others.
    const three = await stage.open([server.url, other.url, server.url]);
    for (let i = 0; i < 1000; i++) {
      const { index } = three.place(`channel ${i}`).shard;
      if (index < 2) expect(index).toBe(redis.place(`channel ${i}`).shard.index);
    }
  });
});

describe('users', () => {
  const stage = useStage();

  it('need their password, and may be kept from the run_id', async () => {
    const guarded = stage.keep(await startRedis());
    await guarded.admin.call('ACL', 'SETUSER', 'gyre', 'on', '>p@ss', '~*', '&*', '+@all', '-info');
    const url = `redis://gyre:p%40ss@127.0.0.1:${guarded.port}`;
    const { shard, tag } = somewhere(await stage.open(url));
    expect(String(await shard.call(tag, ['ACL', 'WHOAMI']))).toBe('gyre');
    expect(String(await shard.call(tag, ['ECHO', runId]))).toBe('');
    const wrong = await stage.open(url.replace('p%40ss', 'wrong'), { connect_timeout: 200, io_timeout: 300 });
    const there = somewhere(wrong);
    expect(await refusalOf(there.shard.call(there.tag, ['PING']))).toEqual(refused('none'));
    expect(stage.warnings.join()).toContain('WRONGPASS');
  });

  it('have a database of their own, and RESP2 where it is asked for', async () => {
    const redis = await stage.open(`${server.url}/3`, { force_resp2: true, client_name: 'named' });
    const { shard, tag, key } = somewhere(redis);
    await shard.call(tag, ['SET', key, 1]);
    expect(await server.admin.get(key)).toBeNull();
    const client = String(await shard.call(tag, ['CLIENT', 'INFO']));
    expect(client).toContain('name=named');
    expect(client).toContain('db=3');
    expect(client).not.toContain('resp=3');
    const got: string[] = [];
    await shard.subscribe(tag, 'bus', (message) => got.push(message.toString()));
    await shard.call(tag, [shard.publishCommand, 'bus', 'x']);
    await until(() => got.length === 1);
  });
});

describe('scripts', () => {
  const stage = useStage();

  it('are made known where Redis does not know them, and run once', async () => {
    const file = join(folder, 'count_up.lua');
    writeFileSync(file, '-- KEYS 1\nreturn { redis.call("INCRBY", KEYS[1], ARGV[1]), ARGV[2], false }');
    const countUp = script<[number, Buffer, null]>(pathToFileURL(file));
    const { shard, tag, key } = somewhere(await stage.open(server.url));
    for (let i = 1; i <= 3; i++) {
      await server.admin.script('FLUSH');
      expect(await countUp(shard, tag, [key], [2, 'größe'])).toEqual([2 * i, Buffer.from('größe'), null]);
    }
    await server.admin.script('FLUSH');
    const many = await Promise.all(Array.from({ length: 50 }, () => countUp(shard, tag, [key], [1, ''])));
    expect(many.map(([count]) => count)).toEqual(Array.from({ length: 50 }, (_, i) => 7 + i));
    expect(await server.admin.call('SCRIPT', 'EXISTS', 'x')).toEqual([0]);
  });

  it('that fail say why', async () => {
    const file = join(folder, 'fail.lua');
    writeFileSync(file, 'return redis.call("LPUSH", KEYS[1], 1)');
    const fail = script(pathToFileURL(file));
    const { shard, tag, key } = somewhere(await stage.open(server.url));
    await shard.call(tag, ['SET', key, 'text']);
    expect(await refusalOf(fail(shard, tag, [key], []))).toEqual(refused('none', 'WRONGTYPE'));
  });
});
