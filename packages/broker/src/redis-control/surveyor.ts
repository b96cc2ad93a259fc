import { clientError } from '@gyre/protocol';
import { script } from '@gyre/redis';
import type { Lease } from '@gyre/redis';
import type { SurveyName, SurveyResult, Surveys } from '../control.ts';
import type { ControlKeys } from './keys.ts';
import { Round } from './round.ts';
import { encodeMessage } from './wire.ts';
import type { Question } from './wire.ts';

type Answer = Surveys[SurveyName]['answer'];

const askNodes = script<readonly Buffer[]>(new URL('./lua/ask_nodes.lua', import.meta.url));

/** Milliseconds until the result is given, whoever is missing. */
const deadlineMs = 1500;

export interface SurveyorOptions {
  readonly lease: Lease;
  readonly keys: ControlKeys;
  /** This node. */
  readonly node: string;
  readonly name: string;
  readonly answer: <S extends SurveyName>(
    survey: S,
    query: Surveys[S]['query'],
  ) => Promise<Surveys[S]['answer']>;
  readonly onError: (error: unknown) => void;
}

/** Asks all nodes, and answers for this one. */
export class Surveyor {
  readonly #options: SurveyorOptions;
  readonly #rounds = new Map<number, Round<Answer | undefined>>();
  #number = 0;

  constructor(options: SurveyorOptions) {
    this.#options = options;
  }

  /** @throws ClientError 100 where nobody answers; what Redis refused with */
  async survey<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<SurveyResult<S>> {
    const { node, name } = this.#options;
    const number = ++this.#number;
    const round = new Round<Answer | undefined>();
    const deadline = setTimeout(() => round.end(), deadlineMs);
    this.#rounds.set(number, round);
    const names = new Map<string, string>();
    try {
      const asked = this.#ask({ type: 'ask', sender: node, number, survey, query }).then((nodes) => {
        for (const [other, its] of nodes) names.set(other, its);
        names.set(node, name);
        round.count(names.keys());
      });
      void this.#answer(survey, query).then((answer) => round.reply(node, answer));
      await Promise.race([round.over, asked.then(() => round.over)]);
    } finally {
      clearTimeout(deadline);
      this.#rounds.delete(number);
    }
    if (names.size === 0) throw clientError('internal', 'Redis does not answer');
    const nodes = [...round.counted];
    const answers = nodes.flatMap((one) => (round.replies.get(one) ?? []) as Surveys[S]['answer'][]);
    if (answers.length === 0) throw clientError('internal', `answered by 0 of ${nodes.length} nodes`);
    const missing = nodes.filter((one) => round.replies.get(one) === undefined);
    return { answers, missingNodes: missing.map((one) => names.get(one) ?? '') };
  }

  /** Answers another node. */
  async reply({ sender, number, survey, query }: Question): Promise<void> {
    const { lease, keys, node, onError } = this.#options;
    const answer = await this.#answer(survey, query);
    const message = encodeMessage({
      type: 'answer',
      node,
      number,
      ...(answer === undefined ? {} : { answer }),
    });
    try {
      await lease.shard.call(lease.tag, [lease.shard.publishCommand, keys.one(sender), message], 'control');
    } catch (error) {
      onError(error);
    }
  }

  answered(number: number, node: string, answer: Answer | undefined): void {
    this.#rounds.get(number)?.reply(node, answer);
  }

  left(node: string): void {
    for (const round of this.#rounds.values()) round.left(node);
  }

  /** What is under way is given as far as it is known. */
  stop(): void {
    for (const round of this.#rounds.values()) round.end();
  }

  async #answer<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<Answer | undefined> {
    try {
      return await this.#options.answer(survey, query);
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  /** @returns the names of the nodes that live */
  async #ask(question: Question): Promise<readonly (readonly [node: string, name: string])[]> {
    const { lease, keys } = this.#options;
    const { shard, tag } = lease;
    const reply = await askNodes(
      shard,
      tag,
      [keys.nodes, lease.key, keys.all],
      [encodeMessage(question), lease.ttlMs, shard.publishCommand],
      'control',
    );
    return reply.flatMap((node, i) => (i % 2 === 0 ? [[String(node), String(reply[i + 1])] as const] : []));
  }
}
