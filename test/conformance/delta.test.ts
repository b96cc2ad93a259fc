import { beforeAll, describe, expect, it } from 'vitest';
import {
  api,
  encodings,
  gyre,
  wire,
  type Encoding,
  type Gyre,
  type PublicationMessage,
} from '../harness/index.ts';
import { applyPatch } from './fossil.ts';
import { fresh, kept } from './stage.ts';

let server: Gyre;
beforeAll(async () => {
  const delta = { allowed_delta_types: ['fossil'], ...kept };
  server = await gyre.start({
    config: {
      client: { insecure: true },
      channel: {
        without_namespace: { ...delta, delta_publish: true, force_recovery: true },
        namespaces: [
          { name: 'forbidden', ...kept, delta_publish: true },
          { name: 'unmarked', ...delta },
          { name: 'unkept', allowed_delta_types: ['fossil'], delta_publish: true },
          { name: 'filtered', ...delta, delta_publish: true, allow_tags_filter: true, force_recovery: true },
          { name: 'small', ...delta, history_size: 2, delta_publish: true, force_recovery: true },
        ],
      },
    },
  });
});

const publish = (channel: string, data: unknown, more: object = {}) =>
  api(server, 'publish', { channel, data, ...more });

const padding = 'ä'.repeat(300);
const payload = (n: number) => ({ n, padding, twice: { n, padding } });

/** Reads publications as a client that keeps its base does, and fails where a patch does not fit it. */
function reader(encoding: Encoding) {
  let base: Buffer | undefined;
  const read = ({ data, delta }: PublicationMessage = {}): unknown => {
    if (encoding === 'json') expect(data).toBeTypeOf('string');
    const bytes = bytesOf(data);
    if (delta === true && base === undefined) throw new Error('a patch, and nothing to apply it to');
    base = delta === true && base !== undefined ? applyPatch(base, bytes) : bytes;
    return JSON.parse(base.toString());
  };
  return (publications: readonly (PublicationMessage | undefined)[] = []): unknown[] =>
    publications.map((publication) => read(publication));
}

/** In JSON all is text. In Protobuf a patch, which is no JSON, comes as its bytes, and a payload as its value. */
function bytesOf(data: unknown): Buffer {
  if (data instanceof Uint8Array) return Buffer.from(data);
  return Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
}

const isPatch = (publications: readonly (PublicationMessage | undefined)[] = []) =>
  publications.map((publication) => publication?.delta === true);

describe.each(encodings)('deltas in %s', (encoding) => {
  const subscribe = async (channel: string, request: object = {}) => {
    const client = await wire(server, encoding);
    const reply = await client.call({ subscribe: { channel, delta: 'fossil', ...request } });
    return {
      client,
      result: reply.subscribe,
      next: async (count: number) => (await client.pushed('pub', count)).map(({ pub }) => pub),
    };
  };

  it('[DEL1] are granted where they are allowed', async () => {
    expect((await subscribe(fresh())).result).toMatchObject({ delta: true });
    expect((await subscribe(fresh(), { delta: '' })).result).not.toHaveProperty('delta');
    const channel = fresh('forbidden');
    const { result, next } = await subscribe(channel);
    expect(result).not.toHaveProperty('delta');
    for (const n of [1, 2]) await publish(channel, payload(n));
    expect((await next(2)).map((pub) => pub?.data)).toEqual([payload(1), payload(2)]);
  });

  it('[DEL2][DEL5][DEL6] follow a full publication', async () => {
    const channel = fresh();
    await publish(channel, payload(0));
    const [patched, plain] = [await subscribe(channel), await subscribe(channel, { delta: '' })];
    const all = [1, 2, 3, 4].map(payload);
    for (const data of all) await publish(channel, data);
    const publications = await patched.next(4);
    expect(isPatch(publications)).toEqual([false, true, true, true]);
    expect(publications.map((pub) => pub?.offset)).toEqual([2, 3, 4, 5]);
    expect(reader(encoding)(publications)).toEqual(all);
    const others = await plain.next(4);
    expect(isPatch(others)).toEqual([false, false, false, false]);
    expect(others.map((pub) => pub?.data)).toEqual(all);
  });

  it('[DEL2][DEL3] are for publications that are marked', async () => {
    const channel = fresh('unmarked');
    const { next } = await subscribe(channel);
    await publish(channel, payload(1));
    await publish(channel, payload(2));
    await publish(channel, payload(3), { delta: true });
    await publish(channel, payload(4));
    await publish(channel, payload(5), { delta: true });
    const publications = await next(5);
    expect(isPatch(publications)).toEqual([false, false, true, false, true]);
    expect(reader(encoding)(publications)).toEqual([1, 2, 3, 4, 5].map(payload));
  });

  it('[DEL4] are made where they save something', async () => {
    const channel = fresh();
    const { next } = await subscribe(channel);
    const all = [1, [], payload(1), { other: '0123456789'.repeat(30) }, null];
    for (const data of all) await publish(channel, data);
    const publications = await next(all.length);
    expect(isPatch(publications)).toEqual(all.map(() => false));
    expect(reader(encoding)(publications)).toEqual(all);
  });

  it('[DEL7] recover as a chain, and go on from its end', async () => {
    const channel = fresh();
    const first = await subscribe(channel);
    for (const n of [1, 2]) await publish(channel, payload(n));
    const read = reader(encoding);
    read(await first.next(2));
    const epoch = first.result?.epoch;
    first.client.socket.destroy();
    for (const n of [3, 4, 5]) await publish(channel, payload(n));
    const back = await subscribe(channel, { recover: true, offset: 2, epoch });
    expect(isPatch(back.result?.publications)).toEqual([false, true, true]);
    expect(read(back.result?.publications)).toEqual([3, 4, 5].map(payload));
    await publish(channel, payload(6));
    const live = await back.next(1);
    expect(isPatch(live)).toEqual([true]);
    expect(read(live)).toEqual([payload(6)]);
    const dissimilar = await subscribe(channel, { recover: true, offset: 5, epoch });
    expect(isPatch(dissimilar.result?.publications)).toEqual([false]);
  });

  it('[DEL8] go on from what the client was just given, and from nothing else', async () => {
    const channel = fresh();
    await publish(channel, payload(1));
    const first = await subscribe(channel);
    await publish(channel, payload(2));
    const read = reader(encoding);
    read(await first.next(1));
    const epoch = first.result?.epoch;
    const from = { recover: true, offset: 2, epoch };
    const back = await subscribe(channel, from);
    const careful = await subscribe(channel, { ...from, flag: 2 });
    const lost = await subscribe(channel, { ...from, epoch: 'otherOne' });
    expect(back.result).toMatchObject({ recovered: true, delta: true });
    for (const n of [3, 4]) await publish(channel, payload(n));
    // It has the second one. Another client could stand there and have nothing: the server cannot tell them apart.
    const publications = await back.next(2);
    expect(isPatch(publications)).toEqual([false, true]);
    expect(read(publications)).toEqual([3, 4].map(payload));
    for (const { next } of [careful, lost]) expect(isPatch(await next(2))).toEqual([false, true]);
    const empty = fresh();
    const new_ = await subscribe(empty, { recover: true, offset: 0, epoch: '' });
    await publish(empty, payload(1));
    expect(isPatch(await new_.next(1))).toEqual([false]);
  });

  it('[DEL9] are not for history', async () => {
    const channel = fresh();
    const { client } = await subscribe(channel);
    for (const n of [1, 2, 3]) await publish(channel, payload(n));
    const { history } = await client.call({ history: { channel, limit: -1 } });
    expect(history?.publications?.map(({ data }) => data)).toEqual([1, 2, 3].map(payload));
    expect(isPatch(history?.publications)).toEqual([false, false, false]);
  });

  it('[DEL10] need something to be made against', async () => {
    const channel = fresh('unkept');
    const { next } = await subscribe(channel);
    for (const n of [1, 2]) await publish(channel, payload(n));
    const publications = await next(2);
    expect(isPatch(publications)).toEqual([false, false]);
    expect(publications.map((pub) => pub?.offset)).toEqual([undefined, undefined]);
  });

  it('[DEL11] give way to a filter', async () => {
    const channel = fresh('filtered');
    const tf = { key: 'k', cmp: 'eq', val: 'yes' };
    const { result, client } = await subscribe(channel, { tf });
    expect(result).not.toHaveProperty('delta');
    for (const n of [1, 2, 3, 4])
      await publish(channel, payload(n), { tags: { k: n % 2 === 0 ? 'yes' : 'no' } });
    await client.fence();
    expect(client.pushes('pub').map(({ pub }) => pub?.data)).toEqual([payload(2), payload(4)]);
  });
});
