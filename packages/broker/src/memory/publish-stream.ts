// road out 5/8: dedupe, offset, append as one step
import { hash } from 'node:crypto';
import { clientError } from '@gyre/protocol';
import type { Bytes, Publication, StreamPosition } from '@gyre/protocol';
import type { HistoryOptions, NewPublication, PublishOptions, PublishResult } from '../broker.ts';
import { useStream } from './engine.ts';
import type { Engine } from './engine.ts';
import type { Stream } from './stream.ts';
import { deliver } from './subscribe.ts';

const defaultIdempotencyTtlMs = 300_000;

/**
 * Publishes with an idempotency key, with history, or with both. The key is looked at first: a repetition is answered
 * with the position of the first call, whatever came after. A key belongs to a publication that was accepted: one that
 * its version suppresses leaves it free.
 * @throws ClientError 107 for a key that was used with other data
 */
export function publishStream(
  engine: Engine,
  channel: string,
  publication: NewPublication,
  options: PublishOptions,
): PublishResult {
  const now = engine.now();
  const key = options.idempotencyKey ? answerId(channel, options.idempotencyKey) : undefined;
  // The digest stands for the data, so that a key does not hold on to it.
  const digest = key === undefined ? '' : hash('sha256', publication.data, 'base64');
  if (key !== undefined) {
    const earlier = findAnswer(engine, key, digest, now);
    if (earlier !== undefined) return earlier;
  }

  let kept: Publication = publication;
  let position: StreamPosition | undefined;
  if (options.history !== undefined) {
    const stream = useStream(engine, channel, now, options.history.metaTtlMs);
    if (isStale(stream, options)) return { position: stream.position, suppressed: 'version' };
    kept = append(engine, stream, publication, options, options.history, now);
    position = stream.position;
  }
  if (key !== undefined) {
    const answer = { id: key, digest, position, lookAt: 0, slot: -1 };
    engine.answers.set(key, answer);
    engine.answerEnds.schedule(answer, now + (options.idempotencyTtlMs ?? defaultIdempotencyTtlMs));
  }

  const first = position?.offset === 1 ? { ...kept, epoch: position.epoch } : kept;
  deliver(engine, channel, first, position, options.delta ?? false);
  return position === undefined ? {} : { position };
}

/** The length tells where the channel ends and the key begins, so no two pairs share an id. */
function answerId(channel: string, key: string): string {
  return `${channel.length}:${channel}${key}`;
}

function findAnswer(engine: Engine, id: string, digest: string, now: number): PublishResult | undefined {
  const answer = engine.answers.get(id);
  if (answer === undefined || now >= answer.lookAt) return undefined;
  if (answer.digest !== digest) throw clientError('badRequest', 'idempotency key was used with other data');
  return answer.position === undefined
    ? { suppressed: 'idempotency' }
    : { position: answer.position, suppressed: 'idempotency' };
}

function isStale(stream: Stream, { version = 0, versionEpoch = '' }: PublishOptions): boolean {
  const sameEpoch = versionEpoch === '' || versionEpoch === stream.versionEpoch;
  return version > 0 && sameEpoch && version <= stream.version;
}

function append(
  engine: Engine,
  stream: Stream,
  { data, info, tags }: NewPublication,
  { version = 0, versionEpoch = '' }: PublishOptions,
  { size, ttlMs }: HistoryOptions,
  now: number,
): Publication {
  const publication: { -readonly [K in keyof Publication]: Publication[K] } = {
    data: compact(data),
    offset: stream.top + 1,
  };
  if (info !== undefined) publication.info = info;
  if (tags !== undefined) publication.tags = tags;
  if (version > 0) {
    publication.version = version;
    stream.version = version;
    stream.versionEpoch = versionEpoch;
  }
  stream.append(publication, size);
  stream.historyEnd = now + ttlMs;
  engine.streamEnds.schedule(stream, stream.historyEnd);
  return publication;
}

/** Bytes of a buffer that may be held for the sake of a smaller payload inside. */
const slack = 65_536;

/** What is kept must not hold on to a large buffer that the payload is a small part of. */
function compact(data: Bytes): Bytes {
  const unused = data.buffer.byteLength - data.byteLength;
  return unused > slack && unused > data.byteLength ? new Uint8Array(data) : data;
}
