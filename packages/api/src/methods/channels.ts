import { setImmediate } from 'node:timers/promises';
import type { ChannelsPage } from '@gyre/broker';
import { compileGlob } from '@gyre/protocol';
import type { Services } from '../context.ts';
import { badRequest } from '../errors.ts';
import type { ChannelInfo, ChannelsRequest, ChannelsResult } from '../messages.ts';
import { checkPage } from '../page.ts';

/** Channels merged before others get a turn. */
const TURN = 5000;

function checkPattern(pattern: string): void {
  try {
    if (pattern !== '') compileGlob(pattern);
  } catch (error) {
    throw error instanceof SyntaxError ? badRequest('invalid pattern') : error;
  }
}

const cursorAfter = (name: string): string => Buffer.from(name).toString('base64url');

/** The name that a page ended with. A cursor that no page gave is refused, not guessed at. */
function nameBefore(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (cursorAfter(name) !== cursor) throw badRequest('unknown cursor');
  return name;
}

/** One map of what several nodes have, subscribers summed. */
async function merge(pages: readonly ChannelsPage[]): Promise<Map<string, ChannelInfo>> {
  const sums = new Map<string, ChannelInfo>();
  let merged = 0;
  for (const page of pages) {
    for (const { channel, numClients } of page.channels) {
      sums.set(channel, { numClients: numClients + (sums.get(channel)?.numClients ?? 0) });
      if (++merged % TURN === 0) await setImmediate();
    }
  }
  return sums;
}

/**
 * Channels with subscribers, on all nodes. Each node is asked for a whole page of its own, so the first `limit` names
 * of the union are in the answers of every node that has them, and their sums are complete.
 */
export async function channels(request: ChannelsRequest, { control }: Services): Promise<ChannelsResult> {
  const { pattern, limit, cursor } = request;
  checkPage(request);
  checkPattern(pattern);
  const { answers, missingNodes } = await control.survey('channels', {
    pattern,
    after: nameBefore(cursor),
    limit,
  });
  const union = await merge(answers);
  if (limit === 0) return { channels: union, missingNodes };
  const names = [...union.keys()].sort();
  const page = names.slice(0, limit);
  const last = page.at(-1);
  const more = names.length > limit || answers.some((answer) => answer.more);
  return {
    channels: new Map(page.map((name) => [name, union.get(name) as ChannelInfo])),
    cursor: more && last !== undefined ? cursorAfter(last) : undefined,
    missingNodes,
  };
}
