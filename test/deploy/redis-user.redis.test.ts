import { describe, expect, it } from 'vitest';
import { startRedis } from '../../packages/redis/src/testing.ts';
import { api, connectClient, gyre, record, teardown, until } from '../harness/index.ts';
import { text } from './files.ts';

const password = 'change-me';

/** A Redis that has the user of `deploy/redis/users.acl`, and one who may look on. */
async function startGuarded() {
  const redis = await startRedis();
  teardown(() => redis.close());
  const lines = text('deploy/redis/users.acl').split('\n');
  const rights =
    lines
      .find((line) => line.startsWith('user gyre '))
      ?.split(' ')
      .slice(1) ?? [];
  // A server of an older release does not know all commands.
  const known = new Set(((await redis.admin.call('COMMAND')) as [string][]).map(([name]) => name));
  const understood = rights.filter((right) => {
    const command = /^\+([a-z]+)/.exec(right)?.[1];
    return command === undefined || known.has(command);
  });
  await redis.admin.call('ACL', 'SETUSER', ...understood);
  return redis;
}

describe('the user of deploy/redis/users.acl', () => {
  it('may do all that Gyre does, and nothing else', async () => {
    const redis = await startGuarded();
    const { admin } = redis;
    const account = { user: 'gyre', password, client_name: 'gyre' };
    const config = {
      client: { insecure: true },
      // There is no replica, so each publication is counted.
      engine: { type: 'redis', redis: { address: redis.url, ...account, durability: 'replica' } },
      channel: {
        without_namespace: {
          presence: true,
          join_leave: true,
          force_push_join_leave: true,
          history_size: 10,
          history_ttl: '60s',
          force_recovery: true,
        },
      },
    };
    const [one, two] = await Promise.all([gyre.start({ config }), gyre.start({ config })]);
    const client = await connectClient(one);
    const subscription = client.newSubscription('c');
    const events = record(subscription);
    subscription.subscribe();
    await subscription.ready();
    const data = { channel: 'c', data: 1, idempotency_key: 'k' };
    expect((await api(two, 'publish', data)).result).toMatchObject({ offset: 1 });
    expect((await api(two, 'publish', data)).result).toMatchObject({ offset: 1 });
    await until(() => events.publication.length === 1);
    for (const method of ['presence', 'presence_stats', 'history', 'history_remove']) {
      expect((await api(two, method, { channel: 'c', limit: 1 })).error, method).toBeUndefined();
    }
    for (const method of ['channels', 'info']) expect((await api(two, method)).error, method).toBeUndefined();
    const unsubscribed = await api(two, 'unsubscribe', { channel: 'c', user: '' });
    expect(unsubscribed.error).toBeUndefined();
    await until(() => events.unsubscribed.length === 1);
    subscription.subscribe();
    await subscription.ready();
    // What a node leaves behind is swept by another one.
    await one.stop('SIGKILL');
    const left = async () => (await api(two, 'presence_stats', { channel: 'c' })).result;
    await until(async () => JSON.stringify(await left()) === '{"num_clients":0,"num_users":0}');
    const swept = async () => (await admin.keys('centrifugo*')).some((key) => key.includes(':px:'));
    await until(swept);

    expect(await admin.call('ACL', 'LOG')).toEqual([]);
    for (const command of [['GET', 'other'], ['FLUSHALL'], ['KEYS', '*'], ['CONFIG', 'GET', '*']]) {
      const dry = admin.call('ACL', 'DRYRUN', 'gyre', ...command).then(String, () => '');
      expect(await dry, command.join(' ')).not.toBe('OK');
    }
  });
});
