import { api, until, type Gyre } from '../harness/index.ts';
import { metrics } from '../harness/metrics.ts';
import type { Fact, Stream, Streams } from './checks.ts';
import type { Subscriber } from './subscribers.ts';

/** What is looked at when everything is over. */
export interface Scene {
  readonly nodes: readonly Gyre[];
  readonly subscribers: readonly Subscriber[];
  readonly channels: readonly string[];
  /** Those of them that keep presence. */
  readonly rooms: readonly string[];
  /** Channels that are subscribed to at the Redis, counted once for each connection that is. */
  redisSubscriptions(): Promise<number>;
  /** Those of them that nodes have without any subscriber. */
  readonly ownSubscriptions: number;
}

/** Everybody is subscribed, and has what the streams have. */
export async function positions({ nodes, subscribers, channels }: Scene): Promise<Fact[]> {
  const unsettled = subscribers.filter((one) => !one.settled()).map(({ name }) => name);
  if (unsettled.length > 0) return [{ what: 'who is not subscribed', is: unsettled, should: [] }];
  const tops = new Map(
    await Promise.all(
      channels.map(async (channel) => [channel, (await history(nodes[0]!, channel, 0)).offset] as const),
    ),
  );
  return subscribers.flatMap((one) =>
    one.channels.map((channel) => ({
      what: `the position of ${one.name} in ${channel}`,
      is: one.offset(channel),
      should: tops.get(channel),
    })),
  );
}

/** What each node says of everybody is what is so. */
export async function answers(scene: Scene): Promise<Fact[]> {
  const { nodes } = scene;
  const facts = await Promise.all([
    ...nodes.map((_, node) => about(scene, node)),
    ...nodes.flatMap((_, node) => scene.rooms.map((room) => presence(scene, node, room))),
    ...nodes.map((_, node) => gauges(scene, node)),
  ]);
  return facts.flat();
}

/** The streams as a node reads them, whole. It may just be on its way to another Redis. */
export async function readStreams({ nodes, channels }: Scene): Promise<Streams> {
  const streams = new Map<string, Stream>();
  for (const channel of channels) {
    const read = (): Promise<Stream | undefined> => history(nodes[0]!, channel, -1).catch(() => undefined);
    const stream = await until(read, { message: `the history of ${channel}` });
    if (stream !== undefined) streams.set(channel, stream);
  }
  return streams;
}

interface History {
  readonly offset: number;
  readonly epoch: string;
  readonly publications: readonly { readonly offset: number; readonly data: { readonly id: string } }[];
}

async function history(node: Gyre, channel: string, limit: number): Promise<Stream> {
  const { result, text } = await api<History>(node, 'history', { channel, limit }, 10_000);
  if (result === undefined) throw new Error(`no history of ${channel}: ${text}`);
  const { epoch, offset, publications } = result;
  return {
    epoch,
    offset,
    publications: publications.map((publication) => ({
      offset: publication.offset,
      id: publication.data.id,
    })),
  };
}

/** `info` and `channels`. */
async function about({ nodes, subscribers, channels }: Scene, index: number): Promise<Fact[]> {
  const node = nodes[index]!;
  const info = (await api<Info>(node, 'info', {}, 10_000)).result;
  const sum = (pick: (one: NodeInfo) => number) => info?.nodes.reduce((all, one) => all + pick(one), 0);
  const listed = (await api<Channels>(node, 'channels', {}, 10_000)).result;
  const expected = channels.flatMap((channel) => {
    const count = subscribers.filter((one) => one.channels.includes(channel)).length;
    return count > 0 ? [`${channel} ${count}`] : [];
  });
  const told = Object.entries(listed?.channels ?? {}).map(([name, { num_clients: n }]) => `${name} ${n}`);
  const subscriptions = subscribers.reduce((all, one) => all + one.channels.length, 0);
  return [
    { what: `info on node ${index}: nodes`, is: info?.nodes.length, should: nodes.length },
    { what: `info on node ${index}: missing`, is: info?.missing_nodes ?? [], should: [] },
    { what: `info on node ${index}: clients`, is: sum((one) => one.num_clients), should: subscribers.length },
    { what: `info on node ${index}: subscriptions`, is: sum((one) => one.num_subs), should: subscriptions },
    { what: `channels on node ${index}`, is: told.toSorted(), should: expected.toSorted() },
    { what: `channels on node ${index}: missing`, is: listed?.missing_nodes ?? [], should: [] },
  ];
}

async function presence({ nodes, subscribers }: Scene, index: number, channel: string): Promise<Fact> {
  const { result } = await api<{ presence: object }>(nodes[index]!, 'presence', { channel }, 10_000);
  return {
    what: `presence of ${channel} on node ${index}`,
    is: Object.keys(result?.presence ?? {}).toSorted(),
    should: subscribers
      .filter((one) => one.channels.includes(channel))
      .map((one) => one.id())
      .toSorted(),
  };
}

/** What is subscribed to at the Redis is what subscribers need, and what nodes have anyway. */
export async function redisSubscriptions(scene: Scene): Promise<Fact[]> {
  const needed = scene.nodes.map((_, node) => channelsOn(scene, node));
  return [
    {
      what: 'subscriptions at Redis',
      is: (await scene.redisSubscriptions()) - scene.ownSubscriptions,
      should: needed.reduce((all, one) => all + one, 0),
    },
  ];
}

function channelsOn({ subscribers }: Scene, index: number): number {
  return new Set(subscribers.filter((one) => one.node() === index).flatMap(({ channels }) => channels)).size;
}

async function gauges(scene: Scene, index: number): Promise<Fact[]> {
  const { nodes, subscribers } = scene;
  const values = await metrics(nodes[index]!);
  const here = subscribers.filter((one) => one.node() === index);
  const subscriptions = here.reduce((all, one) => all + one.channels.length, 0);
  const gauge = (name: string, should: number): Fact => ({
    what: `${name} of node ${index}`,
    is: values.get(`gyre_node_num_${name}`),
    should,
  });
  return [
    gauge('clients', here.length),
    gauge('connections', here.length),
    gauge('subscriptions', subscriptions),
    gauge('channels', channelsOn(scene, index)),
  ];
}

interface NodeInfo {
  readonly num_clients: number;
  readonly num_subs: number;
}

interface Info {
  readonly nodes: readonly NodeInfo[];
  readonly missing_nodes?: readonly string[];
}

interface Channels {
  readonly channels: Readonly<Record<string, { readonly num_clients: number }>>;
  readonly missing_nodes?: readonly string[];
}
