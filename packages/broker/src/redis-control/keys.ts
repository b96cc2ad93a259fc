import { redisKey } from '@gyre/redis';

/** Keys and bus channels of a control bus. All lie with the leases, so that one script sees nodes, leases and commands. */
export interface ControlKeys {
  /** Stream of commands. */
  readonly commands: string;
  /** Hash: node -> `holder name`. */
  readonly nodes: string;
  /** Bus channel of all nodes. */
  readonly all: string;
  /** Bus channel of one node. */
  one(node: string): string;
  /** Hash of what became of a command: node -> outcome. */
  outcomes(sender: string, number: number): string;
}

/** @param tag the lease's */
export function controlKeys(prefix: string, tag: string): ControlKeys {
  return {
    commands: redisKey(prefix, tag, 'cs', ''),
    nodes: redisKey(prefix, tag, 'cn', ''),
    all: redisKey(prefix, tag, 'ca', ''),
    one: (node) => redisKey(prefix, tag, 'co', node),
    outcomes: (sender, number) => redisKey(prefix, tag, 'cr', `${sender}:${number}`),
  };
}
