import { clientError } from '@gyre/protocol';
import type { Publication } from '@gyre/protocol';
import { runId, script } from '@gyre/redis';
import type { Arg } from '@gyre/redis';
import type { HistoryFilter, HistoryOptions, HistoryPage } from '../broker.ts';
import { assertRunning, makeEpoch, refusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { channelKeys } from './keys.ts';
import { decodePublication } from './stored.ts';

type Entry = [id: Buffer, fields: [i: Buffer, id: Buffer, d: Buffer, publication: Buffer]];
type Slice = [done: 0, epoch: Buffer, offset: Buffer, entries: Entry[], life: number] | number;

const readHistory = script<Slice>(
  new URL('./lua/history.lua', import.meta.url),
  new URL('./lua/enter_stream.lua', import.meta.url),
);
const removeStream = script(new URL('./lua/remove_history.lua', import.meta.url));

/** Entries in one answer of Redis, so that a long stream does not stop everybody else. */
const sliceSize = 1000;

/**
 * A position of the epoch before the current one is accepted where the stream goes on from it: up to the cut at which
 * another Redis took over.
 *
 * A page is read in slices. The position is that of the first one, and nothing later is in the page; where entries in
 * between were trimmed away meanwhile, it is what is left.
 * @throws ClientError 112 for a position of another epoch, whatever the limit; 100 where Redis is away
 */
export async function history(
  engine: Engine,
  channel: string,
  filter: HistoryFilter,
  { metaTtlMs }: Pick<HistoryOptions, 'metaTtlMs'>,
): Promise<HistoryPage> {
  assertRunning(engine);
  const { shard, tag } = engine.redis.place(channel);
  const { meta, stream } = channelKeys(engine.redis.prefix, tag, channel);
  const { limit, since, reverse = false } = filter;
  const read = async (epoch: string, offset: Offset, count: number): Promise<HistoryPage> => {
    const args: Arg[] = [runId, makeEpoch(), metaTtlMs, epoch, offset, count, reverse ? '1' : '0'];
    const slice = await readHistory(shard, tag, [meta, stream], args, 'read');
    if (typeof slice === 'number') throw clientError('unrecoverablePosition');
    return pageOf(slice);
  };
  try {
    const wanted = limit < 0 ? Infinity : limit;
    const first = await read(since?.epoch ?? '', since?.offset ?? '', Math.min(wanted, sliceSize));
    if (wanted <= sliceSize || first.publications.length < sliceSize) return first;
    return await readOn(first, wanted, reverse, read);
  } catch (error) {
    throw refusal(engine, error);
  }
}

type Offset = number | '';

/** The other slices. */
async function readOn(
  { publications: first, ...rest }: HistoryPage,
  wanted: number,
  reverse: boolean,
  read: (epoch: string, offset: Offset, count: number) => Promise<HistoryPage>,
): Promise<HistoryPage> {
  const { position } = rest;
  let publications = [...first];
  for (;;) {
    const last = publications.at(-1)?.offset ?? 0;
    const count = Math.min(wanted - publications.length, sliceSize);
    if (count === 0 || (!reverse && last >= position.offset)) break;
    const slice = await read(position.epoch, last, count);
    const next = slice.publications[0]?.offset;
    if (next === undefined) break;
    if (!reverse && next !== last + 1) publications = [];
    publications.push(...slice.publications.filter(({ offset = 0 }) => offset <= position.offset));
    if (slice.publications.length < count) break;
  }
  return { publications, ...rest };
}

function pageOf([, epoch, offset, entries, life]: Exclude<Slice, number>): HistoryPage {
  return {
    publications: entries.map(([id, [, , , bytes]]): Publication => {
      const publication = decodePublication(bytes);
      publication.offset = Number.parseInt(id.toString('latin1'), 10);
      return publication;
    }),
    position: { offset: Number(offset.toString()), epoch: epoch.toString() },
    ...(entries.length > 0 ? { remainingMs: life } : {}),
  };
}

/** @throws ClientError 100 where Redis is away */
export async function removeHistory(engine: Engine, channel: string): Promise<void> {
  assertRunning(engine);
  const { shard, tag } = engine.redis.place(channel);
  const { stream, bus } = channelKeys(engine.redis.prefix, tag, channel);
  try {
    await removeStream(shard, tag, [stream, bus], [shard.publishCommand]);
  } catch (error) {
    throw refusal(engine, error);
  }
}
