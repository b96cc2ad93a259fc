import { beforeAll, describe, expect, it } from 'vitest';
import { api, encodings, gyre, until, wire, type Gyre, type SubscribeMessage } from '../harness/index.ts';
import { fresh, kept } from './stage.ts';

let server: Gyre;
beforeAll(async () => {
  server = await gyre.start({
    config: {
      client: { insecure: true, recovery_max_publication_limit: 80 },
      channel: {
        without_namespace: { ...kept, force_recovery: true },
        namespaces: [
          { name: 'plain' },
          { name: 'positioned', ...kept, force_positioning: true },
          { name: 'small', history_size: 2, history_ttl: '300s', force_recovery: true },
          { name: 'brief', history_size: 10, history_ttl: '1s', force_recovery: true },
          { name: 'cache', ...kept, force_recovery: true, force_recovery_mode: 'cache' },
          {
            name: 'auto',
            ...kept,
            force_recovery: true,
            force_recovery_mode: 'cache',
            auto_cache_recover: true,
          },
        ],
      },
    },
  });
});

const publish = (channel: string, data: unknown) => api(server, 'publish', { channel, data });

/** Publishes the numbers up to and including the last, each at the offset that is its value. */
async function publishUpTo(channel: string, last: number, first = 1): Promise<string> {
  for (let n = first; n <= last; n++) await publish(channel, n);
  const { result } = await api<{ epoch: string }>(server, 'history', { channel, limit: 0 });
  return result?.epoch ?? '';
}

const numbers = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => ({ data: first + i, offset: first + i }));

describe.each(encodings)('recovery in %s', (encoding) => {
  const subscribe = async (channel: string, request: object = {}) => {
    const client = await wire(server, encoding);
    return { client, ...(await client.call({ subscribe: { channel, ...request } })) };
  };
  const recover = async (channel: string, offset: number, epoch: string, more: object = {}) =>
    subscribe(channel, { recover: true, offset, epoch, ...more });

  const failed = (channelTop: number, epoch: string): SubscribeMessage => ({
    recoverable: true,
    positioned: true,
    was_recovering: true,
    epoch,
    ...(channelTop === 0 ? {} : { offset: channelTop }),
  });

  it('[REC1][REC2] counts publications, and names the stream with the first one', async () => {
    const channel = fresh();
    const { client, subscribe: result } = await subscribe(channel);
    await publishUpTo(channel, 3);
    const epoch = result?.epoch;
    expect((await client.pushed('pub', 3)).map(({ pub }) => pub)).toEqual([
      { data: 1, offset: 1, epoch },
      { data: 2, offset: 2 },
      { data: 3, offset: 3 },
    ]);
    const plain = fresh('plain');
    const { client: other } = await subscribe(plain);
    await publish(plain, 1);
    expect(await other.pushed('pub', 1)).toEqual([{ channel: plain, pub: { data: 1 } }]);
  });

  it('[REC2][REC3] brings what was missed', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 5);
    const { client, subscribe: result } = await recover(channel, 2, epoch);
    expect(result).toEqual({
      recoverable: true,
      positioned: true,
      was_recovering: true,
      recovered: true,
      epoch,
      offset: 2,
      publications: numbers(3, 5),
    });
    await publishUpTo(channel, 6, 6);
    expect(await client.pushed('pub', 1)).toEqual([{ channel, pub: { data: 6, offset: 6 } }]);
    expect((await recover(channel, 0, epoch)).subscribe?.publications).toEqual(numbers(1, 6));
  });

  it('[REC4] is complete where nothing was missed, with nothing kept too', async () => {
    const complete = { was_recovering: true, recovered: true, offset: 3 };
    for (const namespace of ['', 'brief']) {
      const channel = fresh(namespace);
      const epoch = await publishUpTo(channel, 3);
      if (namespace === 'brief') {
        await until(async () => {
          const { result } = await api<{ publications: unknown[] }>(server, 'history', {
            channel,
            limit: -1,
          });
          return result?.publications.length === 0;
        });
        expect((await recover(channel, 2, epoch)).subscribe).toEqual(failed(3, epoch));
      }
      const { subscribe: result } = await recover(channel, 3, epoch);
      expect(result).toMatchObject(complete);
      expect(result).not.toHaveProperty('publications');
    }
  });

  it('[REC5] fails where the stream is another, or has lost something', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 3);
    expect((await recover(channel, 3, 'otherOne')).subscribe).toEqual(failed(3, epoch));
    expect((await recover(channel, 4, epoch)).subscribe).toEqual(failed(3, epoch));
    const small = fresh('small');
    const smallEpoch = await publishUpTo(small, 5);
    expect((await recover(small, 2, smallEpoch)).subscribe).toEqual(failed(5, smallEpoch));
    expect((await recover(small, 3, smallEpoch)).subscribe).toMatchObject({ publications: numbers(4, 5) });
    const { client, subscribe: result } = await recover(small, 1, smallEpoch);
    expect(result).not.toHaveProperty('recovered');
    await publish(small, 'goes on');
    await client.pushed('pub', 1);
  });

  it('[REC6] is bounded', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 81);
    expect((await recover(channel, 1, epoch)).subscribe).toMatchObject({ publications: numbers(2, 81) });
    expect((await recover(channel, 0, epoch)).subscribe).toEqual(failed(81, epoch));
  });

  it('[REC7] takes no epoch for any', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 3);
    const { subscribe: all } = await recover(channel, 0, '');
    expect(all).toMatchObject({ recovered: true, epoch, publications: numbers(1, 3) });
    expect(all).not.toHaveProperty('offset');
    expect((await recover(fresh(), 0, '')).subscribe).toMatchObject({
      recovered: true,
      was_recovering: true,
    });
  });

  it('[REC8] may be all or nothing', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 3);
    const { client, error } = await recover(channel, 1, 'otherOne', { flag: 2 });
    expect(error).toEqual({ code: 112, message: 'unrecoverable position' });
    await publish(channel, 4);
    await client.fence();
    expect(client.pushes()).toEqual([]);
    const again = await client.call({ subscribe: { channel, recover: true, offset: 1, epoch, flag: 2 } });
    expect(again.subscribe).toMatchObject({ recovered: true, publications: numbers(2, 4) });
    const unknown = await recover(channel, 1, 'otherOne', { flag: 1 });
    expect(unknown.subscribe).toEqual(failed(4, epoch));
  });

  it('[REC9] is no question where there is none', async () => {
    for (const namespace of ['plain', 'positioned']) {
      for (const flag of [0, 2]) {
        const { subscribe: result } = await recover(fresh(namespace), 1, 'otherOne', { flag });
        expect(result).toMatchObject({ was_recovering: true });
        expect(result).not.toHaveProperty('recoverable');
        expect(result).not.toHaveProperty('recovered');
      }
    }
  });

  it('[REC10] knows the position of a history that was removed', async () => {
    const channel = fresh();
    const epoch = await publishUpTo(channel, 3);
    await api(server, 'history_remove', { channel });
    expect((await recover(channel, 3, epoch)).subscribe).toMatchObject({ recovered: true, offset: 3 });
    expect((await recover(channel, 2, epoch)).subscribe).toEqual(failed(3, epoch));
    const { client } = await recover(channel, 3, epoch);
    await publish(channel, 4);
    expect(await client.pushed('pub', 1)).toEqual([{ channel, pub: { data: 4, offset: 4 } }]);
  });

  it('[REC11][REC12] brings the newest publication in cache mode', async () => {
    const channel = fresh('cache');
    const empty = await recover(channel, 0, '');
    expect(empty.subscribe).toMatchObject({ was_recovering: true });
    expect(empty.subscribe).not.toHaveProperty('recovered');
    const epoch = await publishUpTo(channel, 30);
    for (const [offset, from] of [
      [0, ''],
      [1, epoch],
      [7, 'otherOne'],
    ] as const) {
      const { subscribe: result } = await recover(channel, offset, from);
      expect(result).toMatchObject({ was_recovering: true, recovered: true, publications: numbers(30, 30) });
      expect(result?.offset ?? 0).toBe(offset);
    }
    const top = await recover(channel, 30, epoch);
    expect(top.subscribe).toMatchObject({ recovered: true, offset: 30 });
    expect(top.subscribe).not.toHaveProperty('publications');
    expect((await subscribe(channel)).subscribe).not.toHaveProperty('publications');
  });

  it('[REC13] brings it unasked where that is configured', async () => {
    const channel = fresh('auto');
    expect((await subscribe(channel)).subscribe).toMatchObject({ was_recovering: true });
    await publishUpTo(channel, 3);
    const { client, subscribe: result } = await subscribe(channel);
    expect(result).toMatchObject({ was_recovering: true, recovered: true, publications: numbers(3, 3) });
    await publish(channel, 4);
    expect(await client.pushed('pub', 1)).toMatchObject([{ pub: { data: 4 } }]);
  });

  it('[REC14] loses and doubles nothing while publications flow', async () => {
    const channel = fresh();
    const total = 60;
    const epoch = await publishUpTo(channel, 1);
    const flow = (async () => {
      for (let n = 2; n <= total; n++) await publish(channel, n);
    })();
    for (let round = 0; round < 10; round++) {
      const client = await wire(server, encoding);
      const { subscribe: result } = await client.call({ subscribe: { channel } });
      const from = result?.offset ?? 0;
      const late = await recover(channel, from, epoch);
      await late.client.fence();
      await client.fence();
      const got = [
        ...(late.subscribe?.publications ?? []),
        ...late.client.pushes('pub').map(({ pub }) => pub),
      ];
      const offsets = got.map((pub) => pub?.offset);
      expect(offsets).toEqual(offsets.map((_, i) => from + 1 + i));
      const seen = client.pushes('pub').map(({ pub }) => pub?.offset);
      expect(seen).toEqual(seen.map((_, i) => from + 1 + i));
    }
    await flow;
  });
});
