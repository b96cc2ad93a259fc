import { describe, expect, it } from 'vitest';
import { redisKey, slotOf } from './slots.ts';
import { useStage } from './stage.testing.ts';
import { startCluster, startRedis, startSentinel, until } from './testing.ts';
import type { OwnRedis } from './testing.ts';
import { runId } from './types.ts';
import type { RedisShards, Shard } from './types.ts';

/** Keys and bus channels spread over all partitions. */
const names = Array.from({ length: 100 }, (_, i) => `name ${i}`);

class Ear {
  readonly got = new Map<string, string[]>();
  readonly gaps: string[] = [];
  readonly redis: RedisShards;
  readonly shard: Shard;

  constructor(redis: RedisShards) {
    this.redis = redis;
    const [shard] = redis.shards;
    if (shard === undefined) throw new Error('a Redis without shards');
    this.shard = shard;
    shard.onGap((channels) => this.gaps.push(...channels));
  }

  tag(name: string): string {
    return this.redis.place(name).tag;
  }

  bus(name: string): string {
    return redisKey(this.redis.prefix, this.tag(name), 'c', name);
  }

  key(name: string): string {
    return redisKey(this.redis.prefix, this.tag(name), 'test', name);
  }

  async subscribeAll(): Promise<void> {
    await Promise.all(
      names.map((name) => {
        const heard: string[] = [];
        this.got.set(name, heard);
        return this.shard.subscribe(this.tag(name), this.bus(name), (message) =>
          heard.push(message.toString()),
        );
      }),
    );
  }

  /** What is published reaches everybody, if not the first time. */
  async check(message: string): Promise<void> {
    const { shard } = this;
    await until(async () => {
      const calls = names.map((name) =>
        shard.call(this.tag(name), [shard.publishCommand, this.bus(name), message]),
      );
      await Promise.all(calls);
      return names.every((name) => this.got.get(name)?.at(-1) === message);
    });
  }

  /** Who answers, by partition. */
  async processes(): Promise<string[]> {
    const answers = await Promise.all(names.map((name) => this.shard.call(this.tag(name), ['ECHO', runId])));
    return answers.map(String);
  }

  /** Writes until it succeeds. */
  async write(name: string, value: string): Promise<void> {
    await until(() =>
      this.shard.call(this.tag(name), ['SET', this.key(name), value]).then(
        () => true,
        () => false,
      ),
    );
  }

  async read(name: string): Promise<string> {
    return String(await this.shard.call(this.tag(name), ['GET', this.key(name)], 'read'));
  }
}

/** Redis 6 and before have none. */
async function hasShardedPubSub(servers: readonly OwnRedis[]): Promise<boolean> {
  const answer = (await servers[0]?.admin.call('COMMAND', 'INFO', 'SPUBLISH')) as readonly unknown[];
  return Array.isArray(answer[0]);
}

async function idOf({ admin }: OwnRedis): Promise<string> {
  return /run_id:(\w+)/.exec(await admin.info('server'))?.[1] ?? '';
}

describe('Sentinel', () => {
  const stage = useStage();

  it('names another master when the first one dies, and everything goes there', async () => {
    const { url, servers } = stage.keep(await startSentinel());
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    await ear.write('a', '1');
    await ear.check('before');
    await servers[0]?.crash();
    await ear.write('a', '2');
    expect(await ear.read('a')).toBe('2');
    await until(() => ear.gaps.length >= names.length);
    expect(ear.gaps.toSorted()).toEqual(names.map((name) => ear.bus(name)).toSorted());
    await ear.check('after');
    const ids = await Promise.all(servers.slice(1).map(idOf));
    expect(ids).toContain((await ear.processes())[0]);
    const says = /^Redis has another master .*"server":"127\.0\.0\.1:(\d+)".*"before":"127\.0\.0\.1:(\d+)"/;
    const [, now, before] = says.exec(stage.infos.join('\n')) ?? [];
    expect(servers.slice(1).map(({ port }) => `${port}`)).toContain(now);
    expect(before).toBe(`${servers[0]?.port}`);
    expect(stage.infos).toHaveLength(1);
  });

  it('names another server without a word to the old one, which is left', async () => {
    const [one, other, sentinel] = await Promise.all([
      startRedis(),
      startRedis(),
      startRedis(['--sentinel']),
    ]);
    for (const server of [one, other, sentinel]) stage.keep(server);
    const name = async ({ port }: OwnRedis): Promise<void> => {
      await sentinel.admin.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', port, 1);
    };
    await name(one);
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}?sentinel_master_name=main`;
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    expect((await ear.processes())[0]).toBe(await idOf(one));
    await sentinel.admin.call('SENTINEL', 'REMOVE', 'main');
    await name(other);
    await until(() => ear.gaps.length >= names.length);
    expect((await ear.processes())[0]).toBe(await idOf(other));
    await ear.check('there');
  });

  it('moves the master while it lives, and nothing goes on with the old one', async () => {
    const { url, servers, sentinel } = stage.keep(await startSentinel());
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    await ear.write('a', '1');
    const [before] = await ear.processes();
    await sentinel.call('SENTINEL', 'FAILOVER', 'main');
    await until(async () => (await ear.processes().catch(() => [before]))[0] !== before);
    await ear.write('a', '2');
    await until(() => ear.gaps.length >= names.length);
    await ear.check('after');
    const ids = await Promise.all(servers.slice(1).map(idOf));
    expect(ids).toContain((await ear.processes())[0]);
  });
});

describe('a Cluster', () => {
  const stage = useStage();

  it('has sharded pub/sub where the server knows it, one connection to each master, and tags on all of them', async () => {
    const { url, servers } = stage.keep(await startCluster());
    const ear = new Ear(await stage.open(url));
    const command = (await hasShardedPubSub(servers)) ? 'SPUBLISH' : 'PUBLISH';
    expect(ear.shard.publishCommand).toBe(command);
    await ear.subscribeAll();
    await ear.check('1');
    const ids = await Promise.all(servers.slice(0, 3).map(idOf));
    expect([...new Set(await ear.processes())].toSorted()).toEqual(ids.toSorted());
    const counts = ear.shard.masters().map((tags) => tags.length);
    expect(counts.toSorted((a, b) => a - b)).toEqual([42, 43, 43]);
    for (const { admin } of servers.slice(0, 3)) {
      // Two of ours and the one that asks.
      const listeners = String(await admin.client('LIST', 'TYPE', 'PUBSUB'));
      expect(listeners.trim().split('\n')).toHaveLength(1);
    }
    await until(() => ear.redis.verifiedAge() < 1000);
  });

  it('goes on with a replica when a master dies', async () => {
    const { url, servers } = stage.keep(await startCluster());
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    const before = await ear.processes();
    const [dead] = servers;
    const deadId = dead === undefined ? '' : await idOf(dead);
    const theirs = names.filter((_, i) => before[i] === deadId);
    await dead?.crash();
    for (const name of theirs.slice(0, 3)) await ear.write(name, 'again');
    await until(() => theirs.every((name) => ear.gaps.includes(ear.bus(name))));
    expect(ear.gaps.toSorted()).toEqual(theirs.map((name) => ear.bus(name)).toSorted());
    await ear.check('after');
    expect(await ear.read(theirs[0] ?? '')).toBe('again');
    const address = (server: OwnRedis | undefined): string => `"127.0.0.1:${server?.port}"`;
    expect(stage.infos.join()).toMatch(
      new RegExp(`other masters .*"came":\\[${address(servers[3])}\\],"left":\\[${address(dead)}\\]`),
    );
    expect(stage.infos).toHaveLength(1);
  });

  it('goes on when a replica takes over from a master that lives', async () => {
    const { url, servers } = stage.keep(await startCluster());
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    const before = await ear.processes();
    const replicaId = servers[3] === undefined ? '' : await idOf(servers[3]);
    await servers[3]?.admin.cluster('FAILOVER');
    await until(async () => (await ear.processes().catch(() => [''])).includes(replicaId));
    const after = await ear.processes();
    const theirs = names.filter((_, i) => before[i] !== after[i]);
    expect(theirs.length).toBeGreaterThan(20);
    await until(() => theirs.every((name) => ear.gaps.includes(ear.bus(name))));
    await ear.check('after');
  });

  it('moves a slot away and back: what was dropped on the way is there again', async ({ skip }) => {
    const { url, servers } = stage.keep(await startCluster());
    if (!(await hasShardedPubSub(servers))) skip('nothing is dropped');
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    await ear.check('before');
    const [from, to, other] = servers;
    if (from === undefined || to === undefined || other === undefined) throw new Error('no servers');
    const fromId = await idOf(from);
    const before = await ear.processes();
    const name = names.find((_, i) => before[i] === fromId) ?? '';
    const slot = slotOf(ear.tag(name));
    const ids = await Promise.all([from, to].map(({ admin }) => admin.cluster('MYID')));
    const give = async (target: number): Promise<void> => {
      const servers = target === 1 ? [to, from, other] : [from, to, other];
      for (const { admin } of servers)
        await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[target]));
    };
    await give(1);
    await give(0);
    await until(() => ear.gaps.includes(ear.bus(name)));
    await ear.check('after');
  });

  it('moves slots: no command and no subscription is lost on the way', async () => {
    const { url, servers } = stage.keep(await startCluster());
    const ear = new Ear(await stage.open(url));
    await ear.subscribeAll();
    const before = await ear.processes();
    const [from, to] = servers;
    if (from === undefined || to === undefined) throw new Error('no servers');
    const fromId = await idOf(from);
    const name = names.find((_, i) => before[i] === fromId) ?? '';
    await ear.write(name, 'old');
    const slot = slotOf(ear.tag(name));
    const [fromNode, toNode] = await Promise.all([from, to].map(({ admin }) => admin.cluster('MYID')));
    await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(fromNode));
    await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(toNode));
    // What is not there yet belongs there already.
    const { shard } = ear;
    const fresh = redisKey(ear.redis.prefix, ear.tag(name), 'test', 'fresh');
    expect(String(await shard.call(ear.tag(name), ['SET', fresh, 'new']))).toBe('OK');
    expect(String(await shard.call(ear.tag(name), ['GET', fresh], 'read'))).toBe('new');
    expect(await ear.read(name)).toBe('old');
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5000, 'KEYS', ear.key(name));
    for (const { admin } of [to, from, ...servers.slice(2, 3)]) {
      await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(toNode));
    }
    expect(await ear.read(name)).toBe('old');
    await until(() => ear.gaps.includes(ear.bus(name)));
    await ear.check('after');
    const toId = await idOf(to);
    expect(String(await shard.call(ear.tag(name), ['ECHO', runId]))).toBe(toId);
  });
});
