// road out 3/8: check channel and data, resolve options
import type { NewPublication, PublishOptions } from '@gyre/broker';
import type { Bytes, Tags } from '@gyre/protocol';
import { checkChannel } from '../channel-name.ts';
import type { Services } from '../context.ts';
import { badRequest } from '../errors.ts';
import type { BroadcastRequest, PublishRequest, PublishResult } from '../messages.ts';
import { fitsFormat, payload } from '../payload.ts';
import type { PublishRule } from '../rules.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function hasTags(tags: Tags): boolean {
  for (const _ in tags) return true;
  return false;
}

function optionsOf(request: PublishRequest | BroadcastRequest, rule: PublishRule): PublishOptions {
  const options: Mutable<PublishOptions> = { delta: request.delta || rule.delta };
  if (rule.history !== undefined && !request.skipHistory) options.history = rule.history;
  if (request.idempotencyKey !== '') options.idempotencyKey = request.idempotencyKey;
  if (request.version > 0) {
    options.version = request.version;
    options.versionEpoch = request.versionEpoch;
  }
  return options;
}

/** One publication of a request that may be for several channels; `data` is what {@link payload} gave. */
export async function publishTo(
  channel: string,
  data: Bytes,
  request: PublishRequest | BroadcastRequest,
  { broker, rules }: Services,
): Promise<PublishResult> {
  checkChannel(channel);
  const rule = rules.publish(channel);
  if (!fitsFormat(rule.format, data)) throw badRequest();
  const publication: NewPublication = hasTags(request.tags) ? { data, tags: request.tags } : { data };
  const { position, suppressed } = await broker.publish(channel, publication, optionsOf(request, rule));
  return { offset: position?.offset, epoch: position?.epoch, duplicate: suppressed === 'idempotency' };
}

/** Publishes into one channel. */
export function publish(request: PublishRequest, context: Services): Promise<PublishResult> {
  return publishTo(request.channel, payload(request.data, request.b64data), request, context);
}
