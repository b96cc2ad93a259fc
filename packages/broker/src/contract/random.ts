import { describe, expect, it } from 'vitest';
import { ClientError } from '@gyre/protocol';
import type { Publication, StreamPosition } from '@gyre/protocol';
import type { HistoryFilter, HistoryPage, PublishOptions, PublishResult } from '../broker.ts';
import { NaiveBroker } from './naive.ts';
import { saying, text, until, useStage } from './stage.ts';
import type { BrokerContract, PublicationEvent, StageNode } from './stage.ts';

const steps = 1500;

/** Random calls, with what a naive broker says to the same calls. The seed stands in the name of the test. */
export function randomContract(contract: BrokerContract): void {
  describe('random calls', () => {
    const stage = useStage(contract);
    const seeds = contract.seeds ?? [Math.floor(Math.random() * 2 ** 32)];
    it.each(seeds)(`are answered as a naive broker does (seed %d)`, async (seed) => {
      const random = generator(seed);
      const run = new Run(await stage.node(), contract.can.clock ? stage.elapse : undefined, random);
      for (let i = 0; i < steps; i++) {
        const { real, naive } = await run.step();
        expect(real).toEqual(naive);
      }
      const { real, naive } = run.events();
      expect(real).toEqual(naive);
    });
  });
}

/** Whole numbers below `n`, the same ones for the same seed. */
export function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

type Answer = PublishResult | HistoryPage | void;

interface Comparison {
  readonly real: unknown;
  readonly naive: unknown;
}

class Run {
  readonly #node: StageNode;
  readonly #elapse: ((ms: number) => Promise<void>) | undefined;
  readonly #random: (n: number) => number;
  readonly #naive = new NaiveBroker();
  readonly #names = { real: new EpochNames(), naive: new EpochNames() };
  /** The same position as each of them calls it. */
  readonly #positions: { real: StreamPosition; naive: StreamPosition }[] = [];
  readonly #log: unknown[] = [];

  constructor(
    node: StageNode,
    elapse: ((ms: number) => Promise<void>) | undefined,
    random: (n: number) => number,
  ) {
    this.#node = node;
    this.#elapse = elapse;
    this.#random = random;
  }

  /** Makes a call. Both answers come with the last calls, so that these are seen where the answers differ. */
  async step(): Promise<Comparison> {
    const channel = this.#pick(['a', 'b', 'c']);
    const dice = this.#random(100);
    if (dice < 55) return this.#publish(channel);
    if (dice < 80) return this.#history(channel);
    if (dice < 84) return this.#removeHistory(channel);
    if (dice < 90) return this.#subscribe(channel);
    return this.#advance();
  }

  /** What both told until now. */
  events(): Comparison {
    return {
      real: this.#node.events.publications.map((event) => this.#names.real.event(event)),
      naive: this.#naive.events.map((event) => this.#names.naive.event(event)),
    };
  }

  async #publish(channel: string): Promise<Comparison> {
    const publication = {
      ...saying(this.#pick(['1', '2'])),
      ...(this.#random(4) === 0 && { tags: { t: this.#pick(['x', 'y']) } }),
      ...(this.#random(4) === 0 && { info: { user: this.#pick(['', 'u']), client: 'c' } }),
    };
    const options: PublishOptions = {
      ...(this.#random(5) > 0 && { history: { size: 1 + this.#random(6), ...this.#lifetimes() } }),
      ...(this.#random(3) === 0 && { idempotencyKey: this.#pick(['k', 'l', 'm', '']) }),
      ...(this.#random(3) === 0 && { idempotencyTtlMs: this.#scale(1 + this.#random(5000)) }),
      ...(this.#random(3) === 0 && {
        version: this.#random(9),
        versionEpoch: this.#pick(['', '', 'x', 'y']),
      }),
      ...(this.#random(3) === 0 && { delta: this.#random(2) === 0 }),
    };
    const answers = await this.#compare(
      ['publish', channel, text(publication.data), options],
      () => this.#node.broker.publish(channel, publication, options),
      () => this.#naive.publish(channel, publication, options),
    );
    await until(() => this.#node.events.publications.length >= this.#naive.events.length);
    return answers;
  }

  async #history(channel: string): Promise<Comparison> {
    const { metaTtlMs } = this.#lifetimes();
    const filter = { limit: this.#random(8) - 1, reverse: this.#random(2) === 0 };
    const since = this.#since();
    return this.#compare(
      ['history', channel, filter, since],
      async () => {
        // How long they live on is a matter of the store's clock.
        const { publications, position } = await this.#node.broker.history(
          channel,
          withSince(filter, since?.real),
          { metaTtlMs },
        );
        return { publications, position };
      },
      () => this.#naive.history(channel, withSince(filter, since?.naive), metaTtlMs),
    );
  }

  async #removeHistory(channel: string): Promise<Comparison> {
    return this.#compare(
      ['removeHistory', channel],
      () => this.#node.broker.removeHistory(channel),
      () => this.#naive.removeHistory(channel),
    );
  }

  async #subscribe(channel: string): Promise<Comparison> {
    const on = this.#random(3) > 0;
    return this.#compare(
      [on ? 'subscribe' : 'unsubscribe', channel],
      () => this.#node.broker[on ? 'subscribe' : 'unsubscribe'](channel),
      () => void this.#naive.subscribed[on ? 'add' : 'delete'](channel),
    );
  }

  async #advance(): Promise<Comparison> {
    const elapse = this.#elapse;
    if (elapse === undefined) return { real: undefined, naive: undefined };
    const ms = 1 + this.#random(this.#random(4) === 0 ? 12_000 : 1500);
    return this.#compare(
      ['advance', ms],
      () => elapse(ms),
      () => void (this.#naive.now += ms),
    );
  }

  async #compare(call: unknown, real: () => Promise<Answer>, naive: () => Answer): Promise<Comparison> {
    this.#log.push(call);
    const calls = this.#log.slice(-12);
    const realAnswer = await outcome(real);
    const naiveAnswer = await outcome(naive);
    const positions = { real: positionOf(realAnswer), naive: positionOf(naiveAnswer) };
    if (positions.real && positions.naive) {
      this.#positions.push({ real: positions.real, naive: positions.naive });
    }
    return {
      real: [calls, this.#names.real.answer(realAnswer)],
      naive: [calls, this.#names.naive.answer(naiveAnswer)],
    };
  }

  #since(): { real: StreamPosition; naive: StreamPosition } | undefined {
    const known = this.#pick(this.#positions.slice(-8));
    if (known === undefined || this.#random(3) === 0) return undefined;
    const offset = Math.max(0, known.real.offset - 2 + this.#random(4));
    if (this.#random(4) === 0) return { real: { offset, epoch: '' }, naive: { offset, epoch: '' } };
    return { real: { ...known.real, offset }, naive: { ...known.naive, offset } };
  }

  #lifetimes(): { ttlMs: number; metaTtlMs: number } {
    return { ttlMs: this.#scale(this.#pick([500, 3000])), metaTtlMs: this.#scale(this.#pick([3000, 9000])) };
  }

  /** Where time cannot be moved nothing may end while the test runs. */
  #scale(ms: number): number {
    return this.#elapse === undefined ? ms * 10_000 : ms;
  }

  #pick<T>(things: readonly [T, ...T[]]): T;
  #pick<T>(things: readonly T[]): T | undefined;
  #pick<T>(things: readonly T[]): T | undefined {
    return things[this.#random(Math.max(1, things.length))];
  }
}

function positionOf(answer: Answer | number): StreamPosition | undefined {
  return typeof answer === 'object' ? answer.position : undefined;
}

function withSince(filter: HistoryFilter, since: StreamPosition | undefined): HistoryFilter {
  return since === undefined ? filter : { ...filter, since };
}

/** The answer, or the code of the refusal. */
async function outcome(call: () => Answer | Promise<Answer>): Promise<Answer | number> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

/** Calls each epoch by a number, in the order in which they are first seen: two brokers make different ones. */
class EpochNames {
  readonly #numbers = new Map<string, number>();

  answer(answer: Answer | number): unknown {
    if (typeof answer !== 'object') return answer;
    const publications =
      'publications' in answer ? answer.publications.map((one) => this.publication(one)) : [];
    return { ...answer, publications, position: this.position(answer.position) };
  }

  event({ channel, publication, position, delta }: PublicationEvent): unknown {
    return [channel, this.publication(publication), this.position(position), delta];
  }

  publication({ data, epoch, ...rest }: Publication): unknown {
    return { ...rest, data: text(data), epoch: this.#number(epoch) };
  }

  position(position: StreamPosition | undefined): unknown {
    return position && { offset: position.offset, epoch: this.#number(position.epoch) };
  }

  #number(epoch: string | undefined): number | undefined {
    if (epoch === undefined) return undefined;
    const number = this.#numbers.get(epoch) ?? this.#numbers.size;
    this.#numbers.set(epoch, number);
    return number;
  }
}
