import { openLeases, openRedis } from '@gyre/redis';
import type { Lease, RedisShards } from '@gyre/redis';
import { testOptions } from '@gyre/redis/testing';
import type {
  ControlBus,
  ControlCommand,
  ControlHandler,
  NodeInfo,
  SurveyName,
  Surveys,
} from '../control.ts';
import { redisControlBus } from './control-bus.ts';

/** One node of a cluster, as far as control goes; its bus is not started. */
export interface StageNode {
  readonly redis: RedisShards;
  readonly lease: Lease;
  readonly bus: ControlBus;
  readonly errors: unknown[];
  /** Its process is gone, without a word. */
  kill(): Promise<void>;
  /** After `bus.close()`. */
  close(): Promise<void>;
}

/** A node with a lease. */
export async function makeNode(
  address: string | readonly string[],
  prefix: string,
  name: string,
  renewMs?: number,
): Promise<StageNode> {
  const redis = openRedis(testOptions(address, { prefix }));
  await redis.start();
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const [lease] = openLeases(redis, { onError, ...(renewMs === undefined ? {} : { renewMs }) });
  if (lease === undefined) throw new Error('a Redis without shards');
  await lease.start();
  const bus = redisControlBus({ prefix, lease, name, onError });
  const kill = async (): Promise<void> => {
    await redis.close();
    await lease.close();
  };
  return { redis, lease, bus, errors, kill, close: kill };
}

export interface StartedNode extends StageNode {
  /** Channels of the commands that were applied. */
  readonly applied: string[];
  /** What applying waits for. */
  hold: Promise<void>;
}

/** A node whose bus is started; `close` closes that first. */
export async function startedNode(
  address: string | readonly string[],
  prefix: string,
  name: string,
  renewMs = 300,
): Promise<StartedNode> {
  const made = await makeNode(address, prefix, name, renewMs);
  const started: StartedNode = {
    ...made,
    applied: [],
    hold: Promise.resolve(),
    close: async () => {
      await made.bus.close();
      await made.close();
    },
  };
  const handler: ControlHandler = {
    apply: async (command) => {
      await started.hold;
      started.applied.push(command.type === 'unsubscribe' ? command.channel : command.type);
    },
    answer: async <S extends SurveyName>(survey: S) => {
      const answers: { [N in SurveyName]: Surveys[N]['answer'] } = {
        info: infoOf(name),
        channels: { channels: [], more: false },
      };
      return answers[survey];
    },
  };
  await made.bus.start(handler);
  return started;
}

const infoOf = (name: string): NodeInfo => ({
  uid: name,
  name,
  version: '',
  numClients: 0,
  numUsers: 0,
  numChannels: 0,
  numSubs: 0,
  uptime: 0,
});

/** Sends until it was applied on all that are counted on. @returns what was said before */
export async function sendUntilApplied(from: StageNode, command: ControlCommand): Promise<string[]> {
  const said: string[] = [];
  const deadline = performance.now() + 30_000;
  for (;;) {
    const refused = await from.bus.send(command).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    if (refused === undefined) return said;
    if (performance.now() > deadline) throw refused;
    said.push(refused.message);
  }
}

/** Resolves when the condition holds; rejects when it has not for thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
