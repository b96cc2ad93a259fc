import { Centrifuge } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { jwt, until, type Gyre } from '../harness/index.ts';
import type { Wire } from './peer.ts';

/** The frames that official clients send in a session in which they do everything that there is. */
export async function recordSession(server: Gyre, wire: Wire): Promise<readonly Buffer[]> {
  const frames: Buffer[] = [];
  class Recording extends WebSocket {
    override send(data: string | ArrayBufferView): void {
      frames.push(typeof data === 'string' ? Buffer.from(data) : Buffer.from(data as Uint8Array));
      super.send(data);
    }
  }
  const Client = wire === 'json' ? Centrifuge : ProtobufCentrifuge;
  const url = wire === 'json' ? server.wsUrl : `${server.wsUrl}?cf_protocol=protobuf`;
  const client = new Client(url, {
    websocket: Recording,
    token: jwt({ sub: '42', exp: 2_000_000_000 }, server.tokenSecret),
    getToken: async () => jwt({ sub: '42', exp: 2_000_000_000 }, server.tokenSecret),
    name: 'recorded',
    data: data(wire, { a: 1 }),
  });
  client.connect();
  await client.ready();
  const subscription = client.newSubscription('delta:a', {
    delta: 'fossil',
    positioned: true,
    recoverable: true,
    joinLeave: true,
  });
  const filtered = client.newSubscription('b', { tagsFilter: { key: 'a', cmp: 'eq', val: '1' } });
  const secret = client.newSubscription('$private', {
    token: jwt({ sub: '42', channel: '$private', exp: 2_000_000_000 }, server.tokenSecret),
  });
  for (const one of [subscription, filtered, secret]) {
    one.subscribe();
    await one.ready();
  }
  await subscription.publish(data(wire, { text: 'hello' }));
  await client.publish('cache:a', data(wire, 'x'));
  await subscription.history({ limit: 10, since: { offset: 0, epoch: '' } });
  await client.history('a', { limit: 1, reverse: true });
  await subscription.presence();
  await client.presenceStats('a');
  await client.rpc('ping', data(wire, null));
  filtered.unsubscribe();
  await until(() => frames.length >= 12);
  client.disconnect();
  return frames;
}

function data(wire: Wire, value: unknown): unknown {
  return wire === 'json' ? value : Buffer.from(JSON.stringify(value));
}
