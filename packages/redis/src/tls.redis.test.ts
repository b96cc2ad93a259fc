import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { TlsOptions } from './options.ts';
import { redisKey } from './slots.ts';
import { useStage } from './stage.testing.ts';
import { startRedis, until } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import type { RedisShards } from './types.ts';

const path = (name: string): string =>
  fileURLToPath(new URL(`../../server/src/testdata/tls/${name}.pem`, import.meta.url));
const pem = (name: string): string => readFileSync(path(name), 'utf8');

const ours: TlsOptions = { ca: pem('ca'), cert: pem('client'), key: pem('client-key') };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server that asks clients for their certificate; undefined where Redis was built without TLS. */
async function startTls(): Promise<{ server: OwnRedis; url: string } | undefined> {
  const port = await freePort();
  const files = ['--tls-cert-file', path('server'), '--tls-key-file', path('server-key')];
  const line = ['--tls-port', `${port}`, ...files, '--tls-ca-cert-file', path('ca')];
  const server = await startRedis(line).catch(() => undefined);
  return server && { server, url: `rediss://127.0.0.1:${port}` };
}

/** What came of a command. */
async function ping(redis: RedisShards): Promise<unknown> {
  const { shard, tag } = redis.place('n');
  return shard.call(tag, ['PING']).then(String, (error: unknown) => error);
}

describe('TLS', () => {
  const stage = useStage();
  const quick = { connect_timeout: 300, io_timeout: 400 };

  it('carries commands and pub/sub, with a certificate of our own', async ({ skip }) => {
    const tls = (await startTls()) ?? skip('a Redis without TLS');
    stage.keep(tls.server);
    const redis = await stage.open(tls.url, { tls: ours });
    const { shard, tag } = redis.place('n');
    const key = redisKey(redis.prefix, tag, 'test', 'n');
    await shard.call(tag, ['SET', key, 'x']);
    expect(String(await shard.call(tag, ['GET', key], 'read'))).toBe('x');
    const got: string[] = [];
    await shard.subscribe(tag, 'bus', (message) => got.push(message.toString()));
    await shard.call(tag, [shard.publishCommand, 'bus', 'heard']);
    await until(() => got.length === 1);
    expect(stage.warnings).toEqual([]);
  });

  it.for<[string, TlsOptions, RegExp]>([
    ['a server that nobody known has signed', { ...ours, ca: pem('client') }, /certificate/],
    ['a server of another name', { ...ours, servername: 'elsewhere' }, /elsewhere/],
    // The server may hang up before the client has read why.
    ['a client without a certificate', { ca: pem('ca') }, /certificate required|ECONNRESET|EPIPE/],
  ])('is refused, and the log says why: %s', async ([, options, reason], { skip }) => {
    const tls = (await startTls()) ?? skip('a Redis without TLS');
    stage.keep(tls.server);
    const redis = await stage.open(tls.url, { ...quick, tls: options });
    expect(await ping(redis)).toMatchObject({ name: 'RedisError', outcome: 'none' });
    await until(() => stage.warnings.length > 0);
    expect(stage.warnings).toHaveLength(1);
    expect(stage.warnings[0]).toMatch(reason);
  });

  it('that is not spoken where it is expected is said, too', async ({ skip }) => {
    const tls = (await startTls()) ?? skip('a Redis without TLS');
    stage.keep(tls.server);
    const plain = await stage.open(tls.url.replace('rediss', 'redis'), quick);
    expect(await ping(plain)).toMatchObject({ name: 'RedisError' });
    await until(() => stage.warnings.length > 0);
    const secured = await stage.open(`rediss://127.0.0.1:${tls.server.port}`, { ...quick, tls: ours });
    expect(await ping(secured)).toMatchObject({ name: 'RedisError' });
    await until(() => stage.warnings.length > 1);
    for (const warning of stage.warnings) expect(warning).toContain('127.0.0.1:');
  });
});

describe('a password that is wrong', () => {
  const stage = useStage();

  it('is said once, without the password, and tried again until it is right', async () => {
    const server = stage.keep(await startRedis());
    await server.admin.call('ACL', 'SETUSER', 'gyre', 'on', '>new', '~*', '&*', '+@all');
    const redis = await stage.open(`redis://gyre:old@127.0.0.1:${server.port}`, {
      connect_timeout: 300,
      io_timeout: 400,
    });
    expect(await ping(redis)).toMatchObject({ name: 'RedisError', outcome: 'none' });
    expect(stage.warnings).toHaveLength(1);
    expect(stage.warnings[0]).toMatch(/WRONGPASS/);
    expect(stage.warnings[0]).not.toMatch(/old/);
    await server.admin.call('ACL', 'SETUSER', 'gyre', '>old');
    await until(async () => (await ping(redis)) === 'PONG');
  });
});
