import { beforeAll, describe, expect, it } from 'vitest';
import { encodings, gyre, openWire, until, wire, type Gyre, type Wire } from '../harness/index.ts';

let lively: Gyre;
beforeAll(async () => {
  const client = { insecure: true, ping_interval: '600ms', pong_timeout: '500ms' };
  lively = await gyre.start({ config: { client } });
});

const pings = (client: Wire): number =>
  client.received().filter((message) => Object.keys(message).length === 0).length;
const pinged = (client: Wire, count: number): Promise<boolean> => until(() => pings(client) >= count);

describe.each(encodings)('pings in %s', (encoding) => {
  it('[PNG1] are announced in whole seconds', async () => {
    expect((await wire(lively, encoding)).connected).toMatchObject({ ping: 1, pong: true });
  });

  it('[PNG2][PNG3] come again and again while they are answered, as the empty message', async () => {
    const client = await openWire(lively, encoding);
    await client.call({ connect: {} });
    for (let i = 1; i <= 2; i++) {
      await pinged(client, i);
      client.send({});
    }
    await client.fence();
    expect(pings(client)).toBe(2);
  });

  it('[PNG2] are a byte, or a pair of braces', async () => {
    const client = await openWire(lively, encoding);
    client.send({ id: 1, connect: {} });
    await client.socket.next();
    const ping = await client.socket.next();
    expect(ping).toEqual(encoding === 'json' ? '{}' : Buffer.of(0));
  });

  it('[PNG3] are answered once, and when asked', async () => {
    const early = await wire(lively, encoding);
    early.send({});
    expect(await early.end()).toEqual({ code: 3501, reason: 'bad request' });
    const eager = await wire(lively, encoding);
    await pinged(eager, 1);
    eager.send({}, {});
    expect(await eager.end()).toEqual({ code: 3501, reason: 'bad request' });
  });

  it('[PNG4] take a pong and nothing else', async () => {
    const client = await wire(lively, encoding);
    await pinged(client, 1);
    client.send({ id: 2, rpc: { method: 'm' } });
    expect(await client.end()).toEqual({ code: 3012, reason: 'no pong' });
    expect(client.received().at(-1)).toMatchObject({ id: 2, error: { code: 108 } });
  });
});
