import type { Centrifuge, Subscription } from 'centrifuge';
import { newClient, type Gyre } from '../harness/index.ts';
import type { Random } from '../../packages/protocol/src/random.testing.ts';
import type { Ledger } from './ledger.ts';

/** An official client that comes back by itself, to another node, and writes down what it sees. */
export interface Subscriber {
  readonly name: string;
  readonly channels: readonly string[];
  readonly client: Centrifuge;
  /** Where it is connected, or tries to be. */
  node(): number;
  /** Its client id; "" while it is not connected. */
  id(): string;
  /** It is connected, and subscribed to all of its channels. */
  settled(): boolean;
  /** Offset of the last publication of a channel, or of the position that it began with. */
  offset(channel: string): number;
}

/** What a client has to know of a node. */
export type Way = Pick<Gyre, 'wsUrl' | 'tokenSecret'>;

export interface SubscriberOptions {
  readonly name: string;
  readonly channels: readonly string[];
  /** Asked at each attempt to connect: where each of the nodes is reached. */
  readonly ways: () => readonly Way[];
  /** Index of the first node. */
  readonly home: number;
  readonly random: Random;
}

/** Connects and subscribes; {@link Subscriber.settled} says when that is done. */
export function subscriber(
  ledger: Ledger,
  { name, channels, ways, home, random }: SubscriberOptions,
): Subscriber {
  let at = home;
  let tried = false;
  const client = newClient(ways()[home]!, {
    maxServerPingDelay: 3000,
    websocket: roaming(() => {
      const others = [...ways().keys()].filter((index) => index !== at);
      if (tried) at = random.pick(others);
      tried = true;
      return ways()[at]!.wsUrl;
    }),
  });
  let id = '';
  const event = () => ({ at: performance.now(), subscriber: name });
  client.on('connected', (context) => {
    id = context.client;
    ledger.seen.push({ ...event(), kind: 'connected', client: id });
  });
  const closed = ({ code }: { code: number }): void => {
    if (id !== '') ledger.seen.push({ ...event(), kind: 'closed', code });
    id = '';
  };
  client.on('connecting', closed).on('disconnected', closed);
  const offsets = new Map<string, number>();
  const subscriptions = channels.map((channel) => watch(ledger, client, name, channel, offsets));
  client.connect();
  return {
    name,
    channels,
    client,
    node: () => at,
    id: () => id,
    settled: () => id !== '' && subscriptions.every(({ state }) => state === 'subscribed'),
    offset: (channel) => offsets.get(channel) ?? -1,
  };
}

/** Nothing but the address differs: what a load balancer does, without one. */
function roaming(address: () => string): typeof WebSocket {
  return class extends WebSocket {
    constructor(_url: string | URL, protocols?: ConstructorParameters<typeof WebSocket>[1]) {
      super(address(), protocols);
    }
  };
}

function watch(
  ledger: Ledger,
  client: Centrifuge,
  subscriber: string,
  channel: string,
  offsets: Map<string, number>,
): Subscription {
  const event = () => ({ at: performance.now(), subscriber, channel });
  // Publications of an answer are told in the same turn.
  let answering = false;
  const subscription = client.newSubscription(channel, { minResubscribeDelay: 20, maxResubscribeDelay: 500 });
  subscription.on('subscribed', ({ recovered, wasRecovering, streamPosition }) => {
    answering = true;
    queueMicrotask(() => (answering = false));
    const { epoch = '', offset = 0 } = streamPosition ?? {};
    offsets.set(channel, offset);
    ledger.seen.push({ ...event(), kind: 'subscribed', epoch, offset, recovered, wasRecovering });
  });
  subscription.on('publication', ({ offset = 0, data }) => {
    offsets.set(channel, offset);
    const { id } = data as { id: string };
    ledger.seen.push({ ...event(), kind: 'publication', offset, id, recovered: answering });
  });
  for (const kind of ['join', 'leave'] as const) {
    subscription.on(kind, ({ info }) => ledger.seen.push({ ...event(), kind, client: info.client }));
  }
  let subscribedOnce = false;
  subscription.on('subscribed', () => (subscribedOnce = true));
  const left = ({ code }: { code: number }): void => {
    if (subscribedOnce) ledger.seen.push({ ...event(), kind: 'left', code });
  };
  subscription.on('subscribing', left).on('unsubscribed', left);
  subscription.subscribe();
  return subscription;
}
