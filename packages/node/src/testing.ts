import type { BrokerEvents, HistoryOptions, SubscriptionGrant } from '@gyre/broker';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import { jsonCodec, type Codec } from '@gyre/protocol';
import type { Gate } from './gate.ts';
import { Node } from './node.ts';
import type { Log, NodeOptions } from './options.ts';
import type { Session } from './session/session.ts';
import { MemoryTransport } from './transports/memory.ts';

/** A node over the memory engines, for the tests of this package: its gate grants whatever a test says. */

export const history: HistoryOptions = { size: 1000, ttlMs: 60_000, metaTtlMs: 600_000 };

export const grant: SubscriptionGrant = {
  presence: false,
  joinLeave: false,
  pushJoinLeave: false,
  positioned: false,
  recoverable: false,
  recoveryMode: 'stream',
  autoCacheRecover: false,
};

export const recoverable: SubscriptionGrant = { ...grant, positioned: true, recoverable: true, history };

export const options: NodeOptions = {
  uid: 'uid',
  name: 'name',
  version: '1',
  pingInterval: 25_000,
  pongTimeout: 8000,
  writeTimeout: 0,
  staleCloseDelay: 10_000,
  expiredCloseDelay: 25_000,
  expiredSubCloseDelay: 25_000,
  channelLimit: 128,
  userConnectionLimit: 0,
  queueMaxSize: 1_048_576,
  historyMaxPublicationLimit: 300,
  recoveryMaxPublicationLimit: 300,
  presenceMaxMembers: 10_000,
  connectIncludeServerTime: false,
};

/** Lets everybody do everything, channels without history. Tests change what they are about. */
export const openGate: Gate = {
  connecting: async () => ({ user: 'u', subscriptions: new Map() }),
  refresh: async () => ({}),
  subscribe: async () => grant,
  subRefresh: async () => ({}),
  publish: async (client, _channel, data) => ({
    publication: { data, info: { user: client.user, client: client.id } },
    options: {},
  }),
  presence: async () => undefined,
  history: async () => history,
  rpc: async (_client, _method, data) => data,
};

export interface Peer {
  readonly transport: MemoryTransport;
  readonly session: Session;
  send(...commands: object[]): void;
  /** Messages so far, and no more of them: each call gives the new ones. */
  messages(): Record<string, unknown>[];
}

/** @throws Error where the node is draining */
export function openPeer(node: Node, codec: Codec = jsonCodec): Peer {
  const transport = new MemoryTransport();
  const session = node.open(transport, codec);
  if (session === undefined) throw new Error('the node is draining');
  let read = 0;
  return {
    transport,
    session,
    send: (...commands) =>
      session.receive(Buffer.from(commands.map((command) => JSON.stringify(command)).join('\n'))),
    messages() {
      const frames = transport.text().slice(read);
      read += frames.length;
      return frames
        .flatMap((frame) => frame.split('\n'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

/**
 * A started node, and connections to it.
 * @param listen is given the events that the broker tells the node, so that a test can tell it some too
 */
export async function startNode(
  gate: Partial<Gate> = {},
  changed: Partial<NodeOptions> = {},
  log: Log = {},
  listen?: (events: BrokerEvents) => void,
) {
  // The clock that a test may have turned.
  const broker = memoryBroker({ now: () => performance.now() });
  const startBroker = broker.start.bind(broker);
  broker.start = (events) => {
    listen?.(events);
    return startBroker(events);
  };
  const presence = memoryPresenceManager();
  const control = memoryControlBus();
  const node = new Node({
    options: { ...options, ...changed },
    broker,
    presence,
    control,
    gate: { ...openGate, ...gate },
    log,
  });
  await node.start();
  const open = (codec?: Codec): Peer => openPeer(node, codec);
  return {
    node,
    broker,
    presence,
    control,
    open,
    /** A connection that has connected. */
    connected: async (codec?: Codec): Promise<Peer> => {
      const peer = open(codec);
      peer.send({ id: 1, connect: {} });
      await settled();
      peer.messages();
      return peer;
    },
    stop: async (): Promise<void> => {
      await node.drain(0);
      await control.close();
      await broker.close();
      await presence.close();
    },
  };
}

/** Everything that the memory engines do is done, and flushed. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}
