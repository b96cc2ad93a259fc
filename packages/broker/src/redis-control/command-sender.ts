import { clientError } from '@gyre/protocol';
import { script } from '@gyre/redis';
import type { Lease, Reply } from '@gyre/redis';
import type { ControlCommand } from '../control.ts';
import type { ControlKeys } from './keys.ts';
import { Round } from './round.ts';
import { encodeMessage, encodeSent } from './wire.ts';

const appendCommand = script<readonly Buffer[]>(new URL('./lua/append_command.lua', import.meta.url));

/** Milliseconds until an answer is given whatever came, and until it is looked up which outcomes did not come. */
const deadlineMs = 1000;
const lookUpMs = 750;
/** Commands kept, and milliseconds after the last one; a node that was away for longer is dead. */
const mostKept = 10_000;
const keptMs = 3_600_000;

export interface CommandSenderOptions {
  readonly lease: Lease;
  readonly keys: ControlKeys;
  /** This node. */
  readonly node: string;
  /** What this node has read to. */
  readonly cursor: () => string;
  /** Commands were appended. */
  readonly appended: () => void;
  readonly stats: { unacknowledged: number };
}

/** Appends commands to the stream and waits for what becomes of them. */
export class CommandSender {
  readonly #options: CommandSenderOptions;
  readonly #rounds = new Map<number, Round<boolean>>();
  #number = 0;

  constructor(options: CommandSenderOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every node that is counted on has applied it.
   * @throws ClientError 100 that says on how many it was, within a second; what Redis refused with
   */
  async send(command: ControlCommand): Promise<void> {
    const number = ++this.#number;
    const round = new Round<boolean>();
    const lookUp = setTimeout(() => void this.#lookUp(number, round), lookUpMs);
    const deadline = setTimeout(() => round.end(), deadlineMs);
    this.#rounds.set(number, round);
    try {
      const appended = this.#append(command, number).then((nodes) => {
        // The own node reads in any case.
        round.count([this.#options.node, ...nodes]);
        this.#options.appended();
      });
      await Promise.race([round.over, appended.then(() => round.over)]);
      const nodes = [...round.counted];
      if (nodes.length === 0) throw clientError('internal', 'Redis does not answer');
      const applied = nodes.filter((node) => round.replies.get(node) === true).length;
      if (applied < nodes.length) {
        this.#options.stats.unacknowledged += nodes.length - applied;
        throw clientError('internal', `applied on ${applied} of ${nodes.length} nodes`);
      }
    } finally {
      clearTimeout(lookUp);
      clearTimeout(deadline);
      this.#rounds.delete(number);
    }
  }

  outcome(number: number, node: string, applied: boolean): void {
    this.#rounds.get(number)?.reply(node, applied);
  }

  left(node: string): void {
    for (const round of this.#rounds.values()) round.left(node);
  }

  /** What is under way is refused with what is known. */
  stop(): void {
    for (const round of this.#rounds.values()) round.end();
  }

  async #append(command: ControlCommand, number: number): Promise<readonly string[]> {
    const { lease, keys, node, cursor } = this.#options;
    const { shard, tag, renewMs, ttlMs } = lease;
    const nodes = await appendCommand(
      shard,
      tag,
      [keys.commands, keys.nodes, lease.key, keys.all],
      [
        encodeSent({ sender: node, number, command }),
        mostKept,
        keptMs,
        ttlMs,
        2 * renewMs,
        shard.publishCommand,
        encodeMessage({ type: 'wake', sender: node }),
        cursor(),
      ],
      'control',
    );
    return nodes.map(String);
  }

  /** Outcomes are told by pub/sub, which may be broken. Where this fails too, what is not known stays so. */
  async #lookUp(number: number, round: Round<boolean>): Promise<void> {
    const { lease, keys, node } = this.#options;
    const outcomes = keys.outcomes(node, number);
    const reply = await lease.shard.call(lease.tag, ['HGETALL', outcomes], 'control').catch(() => []);
    const pairs = reply as readonly Reply[];
    for (let i = 0; i < pairs.length; i += 2) round.reply(String(pairs[i]), String(pairs[i + 1]) === '1');
  }
}
