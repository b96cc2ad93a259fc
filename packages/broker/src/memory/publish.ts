// road out 4/8: one call per publication
import type { NewPublication, PublishOptions, PublishResult } from '../broker.ts';
import { assertRunning } from './engine.ts';
import type { Engine } from './engine.ts';
import { publishStream } from './publish-stream.ts';
import { deliver } from './subscribe.ts';

const notKept: PublishResult = {};

/**
 * Everything happens before this returns its promise: calls take effect in the order in which they are made.
 *
 * The publication and its bytes are handed over: subscribers and history share them, so whoever publishes must not
 * write to them again.
 */
export async function publish(
  engine: Engine,
  channel: string,
  publication: NewPublication,
  options: PublishOptions,
): Promise<PublishResult> {
  assertRunning(engine);
  if (options.history !== undefined || options.idempotencyKey) {
    const result = publishStream(engine, channel, publication, options);
    if (result.suppressed !== undefined) engine.suppressed[result.suppressed]++;
    return result;
  }
  deliver(engine, channel, publication, undefined, options.delta ?? false);
  return notKept;
}
