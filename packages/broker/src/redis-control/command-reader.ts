import { script } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import type { ControlCommand } from '../control.ts';
import type { ControlKeys } from './keys.ts';
import { decodeSent, encodeMessage } from './wire.ts';
import type { Sent } from './wire.ts';

type Entry = readonly [id: Buffer, fields: readonly [name: Buffer, command: Buffer]];

const readCommands = script<readonly [cursor: Buffer, ...entries: Entry[]]>(
  new URL('./lua/read_commands.lua', import.meta.url),
);
const acknowledgeCommand = script(new URL('./lua/acknowledge_command.lua', import.meta.url));

/** Commands read at a time. */
const batchSize = 100;
/** Milliseconds that the outcomes of a command are kept, far longer than its sender waits. */
const outcomesMs = 60_000;
/** Milliseconds that the list of nodes is kept; each of them writes to it all the time. */
const nodesMs = 3_600_000;

export interface CommandReaderOptions {
  readonly lease: Lease;
  readonly keys: ControlKeys;
  /** This node. */
  readonly node: string;
  readonly name: string;
  readonly apply: (command: ControlCommand) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Applies the commands in the stream on this node, each one once and one after another, and tells what became of them.
 * It begins at the end of the stream: what was said before is about connections that this node never had.
 */
export class CommandReader {
  readonly #options: CommandReaderOptions;
  #cursor = '';
  #reading: Promise<void> | undefined;
  #again = false;
  /** When the command that is being applied was begun, Infinity where none is. */
  #begunAt = Infinity;
  #stopped = false;

  constructor(options: CommandReaderOptions) {
    this.#options = options;
  }

  /** What was read to, "" before the first time. */
  get cursor(): string {
    return this.#cursor;
  }

  /**
   * Reads, and keeps this node on the list of nodes. Resolves when all that was in the stream at the call is applied.
   * @throws what Redis refused with
   */
  wake(): Promise<void> {
    this.#again = true;
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  /** As `wake`, but a command that takes longer than `mostMs` is not waited for: it may wait for who waits here. */
  async catchUp(mostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const slow = new Promise<void>((resolve) => {
      const look = (): void => {
        if (performance.now() - this.#begunAt > mostMs) resolve();
      };
      timer = setInterval(look, mostMs / 4);
    });
    try {
      await Promise.race([this.wake(), slow]);
    } finally {
      clearInterval(timer);
    }
  }

  /** No command is begun any more. */
  stop(): void {
    this.#stopped = true;
  }

  async #readAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        while (await this.#readBatch());
      }
    } finally {
      // Here, and not when the promise is settled: a call in between would get one that reads no more.
      this.#reading = undefined;
    }
  }

  /** @returns there may be more */
  async #readBatch(): Promise<boolean> {
    const { lease, keys, node, name } = this.#options;
    if (this.#stopped || lease.holder === '') return false;
    const [cursor, ...entries] = await readCommands(
      lease.shard,
      lease.tag,
      [keys.commands, keys.nodes],
      [node, `${lease.holder} ${name}`, this.#cursor, batchSize, nodesMs],
      'control',
    );
    this.#cursor = String(cursor);
    const told: Promise<void>[] = [];
    for (const [id, [, command]] of entries) {
      if (this.#stopped) break;
      // Before it is applied: what fails is not tried again.
      this.#cursor = String(id);
      const sent = this.#decode(command);
      if (sent !== undefined) told.push(this.#tell(sent, await this.#apply(sent.command)));
    }
    await Promise.all(told);
    return entries.length === batchSize;
  }

  #decode(command: Buffer): Sent | undefined {
    try {
      return decodeSent(command);
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  /** @returns whether it was done */
  async #apply(command: ControlCommand): Promise<boolean> {
    this.#begunAt = performance.now();
    try {
      await this.#options.apply(command);
      return true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    } finally {
      this.#begunAt = Infinity;
    }
  }

  /** Where that fails the sender says that it does not know. */
  async #tell({ sender, number }: Sent, applied: boolean): Promise<void> {
    const { lease, keys, node, onError } = this.#options;
    const { shard, tag } = lease;
    try {
      await acknowledgeCommand(
        shard,
        tag,
        [keys.outcomes(sender, number), keys.one(sender)],
        [
          node,
          applied ? 1 : 0,
          outcomesMs,
          shard.publishCommand,
          encodeMessage({ type: 'outcome', node, number, applied }),
        ],
        'control',
      );
    } catch (error) {
      onError(error);
    }
  }
}
