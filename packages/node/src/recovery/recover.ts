import type { HistoryFilter, HistoryOptions, HistoryPage, SubscriptionGrant } from '@gyre/broker';
import { ClientError, errorCodes, type Publication, type StreamPosition } from '@gyre/protocol';
import type { Context } from '../context.ts';
import type { Channel } from '../hub/channel.ts';

/** What is known of a client's position. */
export interface Recovery {
  /** The stream's top at the time of the read. */
  readonly top: StreamPosition;
  /** What the client missed up to the top, ascending; undefined where it cannot be had. */
  readonly publications: readonly Publication[] | undefined;
}

/** Reads begin at multiples of this, so that clients who stood close to each other share one. */
const ROUND = 64;

/**
 * Finds what a client at `since` has missed.
 * - `stream`: everything after `since`, if all of it is still there and not more than the limit.
 * - `cache`: the newest publication, unless the client has it.
 *
 * The node answers from what it has at hand where it can. That is right however far behind the node is: the client joins
 * where the node stands, and what follows there reaches it like everybody else. Otherwise the stream is read, once for all who
 * ask for the same, and what was read is at hand for those who come later.
 */
export async function recover(
  context: Context,
  channel: Channel,
  since: StreamPosition,
  { recoveryMode }: Pick<SubscriptionGrant, 'recoveryMode'>,
  history: HistoryOptions,
): Promise<Recovery> {
  const atHand =
    recoveryMode === 'cache' ? cached(channel, since, history) : kept(context, channel, since, history);
  context.stats.recoverySources[atHand === undefined ? 'stream' : 'tail']++;
  if (atHand !== undefined) return atHand;
  return recoveryMode === 'cache'
    ? readNewest(context, channel, since, history)
    : readMissed(context, channel, since, history);
}

/**
 * Makes sure that the node knows where it stands in the channel.
 * @param last and what was published last, so that patches can be made against it
 */
export async function locate(
  context: Context,
  channel: Channel,
  history: HistoryOptions,
  last: boolean,
): Promise<void> {
  const { position } = channel;
  const lacksLast = last && position?.last === undefined && position?.newest(history) === undefined;
  if (position === undefined || lacksLast) await read(context, channel, last ? NEWEST : TOP, history);
}

function kept(
  { options }: Context,
  { position }: Channel,
  since: StreamPosition,
  history: HistoryOptions,
): Recovery | undefined {
  if (position === undefined) return undefined;
  const limit = options.recoveryMaxPublicationLimit;
  const lacks = position.lacks(since, limit);
  const publications = lacks ? undefined : position.missed(since, history);
  return lacks || publications !== undefined ? { top: position.current, publications } : undefined;
}

function cached({ position }: Channel, since: StreamPosition, history: HistoryOptions): Recovery | undefined {
  // A client that is further than this node has the newest one, or knows of a stream that this node does not.
  const here = position?.current;
  const isAhead = since.epoch !== '' && (since.epoch !== here?.epoch || since.offset > here.offset);
  const page = isAhead ? undefined : position?.newest(history);
  return page === undefined ? undefined : { top: page.position, publications: newest(page, since) };
}

async function readMissed(
  context: Context,
  channel: Channel,
  since: StreamPosition,
  history: HistoryOptions,
): Promise<Recovery> {
  const limit = context.options.recoveryMaxPublicationLimit;
  // Of another epoch the exact position decides.
  const isOurs = channel.position?.current.epoch === since.epoch;
  const from = isOurs ? { ...since, offset: since.offset - (since.offset % ROUND) } : since;
  try {
    const filter = { limit: limit + ROUND, since: from };
    let page = await read(context, channel, filter, history);
    if (isBehind(page, since)) page = await readAnew(context, channel, filter, history);
    const publications = page.publications.filter(({ offset = 0 }) => offset > since.offset);
    const complete = isComplete({ ...page, publications }, since.offset, limit);
    return { top: page.position, publications: complete ? publications : undefined };
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== errorCodes.unrecoverablePosition.code) throw error;
    const { position: top } = await read(context, channel, TOP, history);
    const { position } = channel;
    if (position?.current.epoch === top.epoch) position.estrange(since);
    return { top, publications: undefined };
  }
}

async function readNewest(
  context: Context,
  channel: Channel,
  since: StreamPosition,
  history: HistoryOptions,
): Promise<Recovery> {
  let page = await read(context, channel, NEWEST, history);
  if (isBehind(page, since)) page = await readAnew(context, channel, NEWEST, history);
  return { top: page.position, publications: newest(page, since) };
}

const TOP: HistoryFilter = { limit: 0 };
const NEWEST: HistoryFilter = { limit: 1, reverse: true };

/** The read that was shared began before the client got what it has. */
function isBehind({ position }: HistoryPage, { epoch, offset }: StreamPosition): boolean {
  return position.epoch === epoch && position.offset < offset;
}

/** Reads of the same are one; what came of it is at hand from then on. */
async function read(
  context: Context,
  channel: Channel,
  filter: HistoryFilter,
  history: HistoryOptions,
): Promise<HistoryPage> {
  const { since, limit } = filter;
  const what = since === undefined ? `${limit}` : `${limit} ${since.offset} ${since.epoch}`;
  return channel.read(what, () => readAnew(context, channel, filter, history));
}

async function readAnew(
  { broker }: Context,
  channel: Channel,
  filter: HistoryFilter,
  history: HistoryOptions,
): Promise<HistoryPage> {
  const page = await broker.history(channel.name, filter, history);
  // A publication that came meanwhile knows better where the node stands.
  const position = channel.position ?? channel.stand(page.position);
  if (filter.limit > 0) position.learn(page, filter.since?.offset ?? page.position.offset - 1, history);
  return page;
}

/** Whether a page holds everything after `offset` up to its top. */
function isComplete({ publications, position }: HistoryPage, offset: number, limit: number): boolean {
  if (publications.length > limit || offset > position.offset) return false;
  if (publications.length === 0) return offset === position.offset;
  return publications[0]?.offset === offset + 1 && publications.at(-1)?.offset === position.offset;
}

function newest(
  { publications, position }: HistoryPage,
  since: StreamPosition,
): readonly Publication[] | undefined {
  const atTop = since.offset === position.offset && since.epoch === position.epoch;
  if (atTop && since.offset > 0) return [];
  if (publications[0]?.offset === position.offset) return publications;
  return atTop ? [] : undefined;
}
