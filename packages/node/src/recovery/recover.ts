import type { Broker, HistoryOptions, HistoryPage, SubscriptionGrant } from '@gyre/broker';
import { ClientError, errorCodes, type Publication, type StreamPosition } from '@gyre/protocol';
import type { NodeOptions } from '../options.ts';

/** What a read of the stream says of a client's position. */
export interface Recovery {
  /** The stream's top at the time of the read. */
  readonly top: StreamPosition;
  /** What the client missed up to the top, ascending; undefined where it cannot be had. */
  readonly publications: readonly Publication[] | undefined;
}

/**
 * Reads what a client at `since` has missed.
 * - `stream`: everything after `since`, if all of it is still there and not more than the limit.
 * - `cache`: the newest publication, unless the client has it.
 */
export async function recover(
  broker: Broker,
  channel: string,
  since: StreamPosition,
  grant: Pick<SubscriptionGrant, 'recoveryMode'>,
  history: HistoryOptions,
  options: Pick<NodeOptions, 'recoveryMaxPublicationLimit'>,
): Promise<Recovery> {
  if (grant.recoveryMode === 'cache') {
    const page = await broker.history(channel, { limit: 1, reverse: true }, history);
    return { top: page.position, publications: newest(page, since) };
  }
  const limit = options.recoveryMaxPublicationLimit;
  try {
    const page = await broker.history(channel, { limit: limit + 1, since }, history);
    return {
      top: page.position,
      publications: complete(page, since.offset, limit) ? page.publications : undefined,
    };
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== errorCodes.unrecoverablePosition.code) throw error;
    const page = await broker.history(channel, { limit: 0 }, history);
    return { top: page.position, publications: undefined };
  }
}

/** Whether a page holds everything after `offset` up to its top. */
function complete({ publications, position }: HistoryPage, offset: number, limit: number): boolean {
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
