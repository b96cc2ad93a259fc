import type { Centrifuge, SubscribedContext } from 'centrifuge';
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
  /** It is subscribed by the server, as its token says. */
  readonly serverSide?: boolean;
  readonly random: Random;
}

/** Connects and subscribes; {@link Subscriber.settled} says when that is done. */
export function subscriber(
  ledger: Ledger,
  { name, channels, ways, home, serverSide = false, random }: SubscriberOptions,
): Subscriber {
  let at = home;
  let tried = false;
  const client = newClient(ways()[home]!, {
    maxServerPingDelay: 3000,
    ...(serverSide ? { user: name, claims: { channels } } : {}),
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
  const notes = new Notes(ledger, name, offsets);
  if (serverSide) watchAll(client, notes);
  else for (const channel of channels) watch(client, notes, channel);
  client.connect();
  return {
    name,
    channels,
    client,
    node: () => at,
    id: () => id,
    settled: () => id !== '' && channels.every((channel) => notes.subscribed.has(channel)),
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

/** Writes down what comes of the channels of one subscriber. */
class Notes {
  readonly #ledger: Ledger;
  readonly #subscriber: string;
  readonly #offsets: Map<string, number>;
  /** Channels that it is subscribed to now. */
  readonly subscribed = new Set<string>();
  // Publications of an answer are told in the same turn.
  #answering = false;

  constructor(ledger: Ledger, subscriber: string, offsets: Map<string, number>) {
    this.#ledger = ledger;
    this.#subscriber = subscriber;
    this.#offsets = offsets;
  }

  #event(channel: string) {
    return { at: performance.now(), subscriber: this.#subscriber, channel };
  }

  began(channel: string, { recovered, wasRecovering, streamPosition }: Began): void {
    this.#answering = true;
    queueMicrotask(() => (this.#answering = false));
    this.subscribed.add(channel);
    const { epoch = '', offset = 0 } = streamPosition ?? {};
    this.#offsets.set(channel, offset);
    const event = { ...this.#event(channel), epoch, offset, recovered, wasRecovering };
    this.#ledger.seen.push({ ...event, kind: 'subscribed' });
  }

  publication(channel: string, { offset = 0, data }: { offset?: number; data: unknown }): void {
    this.#offsets.set(channel, offset);
    const { id } = data as { id: string };
    const event = { ...this.#event(channel), offset, id, recovered: this.#answering };
    this.#ledger.seen.push({ ...event, kind: 'publication' });
  }

  membership(kind: 'join' | 'leave', channel: string, client: string): void {
    this.#ledger.seen.push({ ...this.#event(channel), kind, client });
  }

  /** @param code 0 where none was said */
  left(channel: string, code: number): void {
    if (this.subscribed.delete(channel))
      this.#ledger.seen.push({ ...this.#event(channel), kind: 'left', code });
  }
}

type Began = Pick<SubscribedContext, 'recovered' | 'wasRecovering' | 'streamPosition'>;

function watch(client: Centrifuge, notes: Notes, channel: string): void {
  const subscription = client.newSubscription(channel, { minResubscribeDelay: 20, maxResubscribeDelay: 500 });
  subscription.on('subscribed', (context) => notes.began(channel, context));
  subscription.on('publication', (context) => notes.publication(channel, context));
  for (const kind of ['join', 'leave'] as const) {
    subscription.on(kind, ({ info }) => notes.membership(kind, channel, info.client));
  }
  const left = ({ code }: { code: number }): void => notes.left(channel, code);
  subscription.on('subscribing', left).on('unsubscribed', left);
  subscription.subscribe();
}

/** The subscriptions that the server makes. */
function watchAll(client: Centrifuge, notes: Notes): void {
  client.on('subscribed', ({ channel, ...context }) => notes.began(channel, context));
  client.on('publication', ({ channel, ...context }) => notes.publication(channel, context));
  for (const kind of ['join', 'leave'] as const) {
    client.on(kind, ({ channel, info }) => notes.membership(kind, channel, info.client));
  }
  const left = ({ channel }: { channel: string }): void => notes.left(channel, 0);
  client.on('subscribing', left).on('unsubscribed', left);
}
