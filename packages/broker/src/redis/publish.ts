// road out 4/8: one script call per publication
import { hash } from 'node:crypto';
import { clientError } from '@gyre/protocol';
import { RedisError, runId, script } from '@gyre/redis';
import type { Arg, Place } from '@gyre/redis';
import { nanoid } from 'nanoid';
import type { NewPublication, PublishOptions, PublishResult } from '../broker.ts';
import { assertRunning, makeEpoch, refusal } from './engine.ts';
import type { Engine } from './engine.ts';
import { answerKey, busChannel, channelKeys, findingsKey } from './keys.ts';
import { encodePublication } from './stored.ts';

type Outcome = [what: number, epoch: Buffer, offset: Buffer];

const publishStream = script<Outcome>(
  new URL('./lua/publish_stream.lua', import.meta.url),
  new URL('./lua/enter_stream.lua', import.meta.url),
);

const defaultIdempotencyTtlMs = 300_000;
/** Attempts of one publication, so that three answers in a row may get lost, and milliseconds after which no other one begins. */
const attempts = 4;
const attemptsMs = 5000;

const notKept: PublishResult = {};

/**
 * With history or an idempotency key it is one script, which is tried again where nothing was heard of it: the
 * publication's id tells whether it was there before. Without either nobody could tell, so it is tried once.
 * @throws ClientError 107 for a key that was used with other data; 100 where Redis is away, or says nothing
 */
export async function publish(
  engine: Engine,
  channel: string,
  publication: NewPublication,
  options: PublishOptions,
): Promise<PublishResult> {
  assertRunning(engine);
  const place = engine.redis.place(channel);
  if (options.history === undefined && !options.idempotencyKey) {
    await publishOnce(engine, place, channel, publication, options.delta ?? false);
    return notKept;
  }
  const keys = keysOf(engine, place, channel, options.idempotencyKey);
  const args = argsOf(publication, options);
  const [what, epoch, offset] = await insist(engine, place, channel, keys, args);
  if (what === -1) throw clientError('badRequest', 'idempotency key was used with other data');
  if (what === 2) engine.stats.suppressed.idempotency++;
  else if (what === 3) engine.stats.suppressed.version++;
  if (what < 2 && options.history !== undefined) await assureReplica(engine, place);
  const position =
    epoch.length === 0 ? undefined : { offset: Number(offset.toString()), epoch: epoch.toString() };
  return {
    ...(position === undefined ? {} : { position }),
    ...(what === 2 ? { suppressed: 'idempotency' } : what === 3 ? { suppressed: 'version' } : {}),
  };
}

/** @throws ClientError 100 where no replica has what was published last, and one is required */
async function assureReplica({ durability, stats }: Engine, { shard, tag }: Place): Promise<void> {
  if (durability === 'master' || (await shard.replicated(tag))) return;
  stats.unreplicatedPublications++;
  if (durability === 'replica_required') throw clientError('internal', 'no replica of Redis has it');
}

async function publishOnce(
  engine: Engine,
  { shard, tag }: Place,
  channel: string,
  publication: NewPublication,
  delta: boolean,
): Promise<void> {
  const stored = encodePublication(publication, 0);
  const message = Buffer.concat([delta ? passingWithDelta : passing, stored]);
  try {
    await shard.call(tag, [shard.publishCommand, busChannel(engine.redis.prefix, tag, channel), message]);
  } catch (error) {
    throw refusal(engine, error);
  }
}

const passing = Buffer.from('p0');
const passingWithDelta = Buffer.from('p1');

function keysOf(engine: Engine, { tag }: Place, channel: string, idempotencyKey = ''): string[] {
  const { prefix } = engine.redis;
  const { meta, stream, bus } = channelKeys(prefix, tag, channel);
  return [meta, stream, answerKey(prefix, tag, channel, idempotencyKey), bus];
}

/** From the third argument of the script on, without the one that changes between attempts. */
function argsOf(publication: NewPublication, options: PublishOptions): Args {
  const { history, idempotencyKey, idempotencyTtlMs = defaultIdempotencyTtlMs, delta } = options;
  // Without history there is nothing to compare a version with.
  const version = history === undefined ? 0 : (options.version ?? 0);
  return {
    identity: [nanoid(), encodePublication(publication, version), delta ? '1' : '0'],
    rest: [
      // The digest stands for the data, so that a key does not hold on to it.
      idempotencyKey ? hash('sha256', publication.data, 'base64') : '',
      idempotencyTtlMs,
      history?.size ?? '',
      history?.ttlMs ?? '',
      history?.metaTtlMs ?? '',
      makeEpoch(),
      version,
      options.versionEpoch ?? '',
    ],
  };
}

interface Args {
  readonly identity: readonly Arg[];
  readonly rest: readonly Arg[];
}

async function insist(
  engine: Engine,
  { shard, tag }: Place,
  channel: string,
  keys: string[],
  args: Args,
): Promise<Outcome> {
  const deadline = performance.now() + attemptsMs;
  for (let attempt = 1, again = '0'; ; attempt++) {
    try {
      const line: Arg[] = [shard.publishCommand, runId, ...args.identity, again, ...args.rest];
      const published = publishStream(shard, tag, keys, line);
      const outcome = await (again === '1' ? before(deadline, published) : published);
      if (again === '1') count(engine, outcome[0]);
      return outcome;
    } catch (error) {
      if (again === '0' && error instanceof RedisError && error.outcome === 'unknown') {
        again = '1';
        keys.push(findingsKey(engine.redis.prefix, tag, channel));
      }
      const enough = attempt === attempts || performance.now() >= deadline || engine.events === undefined;
      if (again === '0' || enough) throw refusal(engine, error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 150));
  }
}

/** The same, or nothing was heard when the time is over: a caller is not kept waiting by the last attempt. */
async function before<T>(deadline: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    const late = (): void => reject(new RedisError('unknown', 'no answer from Redis'));
    timer = setTimeout(late, deadline - performance.now());
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

function count({ stats }: Engine, what: number): void {
  if (what === 1) stats.publishRetriesFound++;
  else if (what === 0) stats.publishRetriesAppended++;
}
