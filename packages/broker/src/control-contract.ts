import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlBus, ControlCommand, ControlHandler, NodeInfo, SurveyName, Surveys } from './control.ts';
import { refusal, rejected, until } from './contract/stage.ts';

/** What several buses share, fresh and empty. */
export interface ControlBusStore {
  /** A bus for one more node, not started. Called once where `severalNodes` is false. */
  node(name: string): ControlBus | Promise<ControlBus>;
  /** Called after all its buses are closed. */
  close?(): void | Promise<void>;
}

/** How the contract gets at an engine. */
export interface ControlBusContract {
  /** Called for each test. */
  create(): ControlBusStore | Promise<ControlBusStore>;
  readonly can: { readonly severalNodes: boolean };
}

/** The contract of `ControlBus`. */
export function controlBusContract(name: string, contract: ControlBusContract): void {
  describe(`${name}`, () => {
    commands(contract);
    surveys(contract);
    closing(contract);
    describe.runIf(contract.can.severalNodes)('several nodes', () => {
      severalNodes(contract);
    });
  });
}

const target = { user: 'ann', client: 'c1', session: 's1' };

/** One of each, with and without what may be absent. */
const everyCommand: readonly ControlCommand[] = [
  {
    type: 'subscribe',
    target,
    channel: 'a:b',
    grant: {
      presence: true,
      joinLeave: false,
      pushJoinLeave: true,
      positioned: true,
      recoverable: true,
      recoveryMode: 'cache',
      autoCacheRecover: true,
      history: { size: 10, ttlMs: 60_000, metaTtlMs: 600_000 },
      delta: 'fossil',
      chanInfo: Buffer.from('{"a":1.0}'),
      data: Buffer.from([0, 255, 10]),
      expireAt: 1_900_000_000,
    },
    recoverSince: { offset: 7, epoch: 'abcdEFGH' },
  },
  {
    type: 'subscribe',
    target: { user: '' },
    channel: '😀\n',
    grant: {
      presence: false,
      joinLeave: false,
      pushJoinLeave: false,
      positioned: false,
      recoverable: false,
      recoveryMode: 'stream',
      autoCacheRecover: false,
    },
  },
  { type: 'unsubscribe', target, channel: 'a' },
  { type: 'disconnect', target, code: 3503, reason: 'force disconnect', whitelist: ['c2', 'c3'] },
  { type: 'disconnect', target: { user: '{}' }, code: 4000, reason: '', whitelist: [] },
  { type: 'refresh', target, expired: false, expireAt: 1_900_000_000, info: Buffer.from('{}') },
  { type: 'refresh', target, expired: true, expireAt: 0 },
];

const numbered = (n: number): ControlCommand => ({ type: 'unsubscribe', target, channel: `${n}` });

/** A node that remembers what it was told. */
class Recorder implements ControlHandler {
  readonly begun: ControlCommand[] = [];
  readonly applied: ControlCommand[] = [];
  readonly queries: unknown[] = [];
  readonly name: string;
  /** What applying a command, or answering, waits for. */
  wait: () => Promise<void> = async () => {};

  constructor(name: string) {
    this.name = name;
  }

  async apply(command: ControlCommand): Promise<void> {
    this.begun.push(command);
    await this.wait();
    this.applied.push(command);
  }

  async answer<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<Surveys[S]['answer']> {
    this.queries.push([survey, query]);
    await this.wait();
    const answers: { [N in SurveyName]: Surveys[N]['answer'] } = {
      info: this.info(),
      channels: { channels: [{ channel: `of ${this.name}`, numClients: 2 }], more: true },
    };
    return answers[survey];
  }

  info(): NodeInfo {
    return {
      uid: `uid of ${this.name}`,
      name: this.name,
      version: '1.2.3',
      numClients: 1,
      numUsers: 2,
      numChannels: 3,
      numSubs: 4,
      uptime: 5,
      metrics: { interval: 60, items: { 'a.b': 1.5 } },
    };
  }
}

/** Makes the handler wait. @returns ends that */
function holdUp(handler: Recorder): () => void {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  handler.wait = () => promise;
  return () => {
    resolve();
  };
}

interface Stage {
  node(name?: string): Promise<{ bus: ControlBus; handler: Recorder }>;
}

function useStage(contract: ControlBusContract): Stage {
  let store: ControlBusStore;
  const buses: ControlBus[] = [];
  beforeEach(async () => {
    store = await contract.create();
  });
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
    await store.close?.();
  });
  return {
    node: async (name = 'one') => {
      const bus = await store.node(name);
      buses.push(bus);
      const handler = new Recorder(name);
      await bus.start(handler);
      return { bus, handler };
    },
  };
}

function commands(contract: ControlBusContract): void {
  const stage = useStage(contract);

  it.each(everyCommand)('applies a command on the own node, as it was sent: %j', async (command) => {
    const { bus, handler } = await stage.node();
    await bus.send(command);
    expect(handler.applied).toEqual([command]);
  });

  it('resolves when the command is applied, and not before', async () => {
    const { bus, handler } = await stage.node();
    const resolve = holdUp(handler);
    let resolved = false;
    const sent = bus.send(numbered(1)).then(() => (resolved = true));
    await until(() => handler.begun.length === 1);
    expect([resolved, handler.applied]).toEqual([false, []]);
    resolve();
    await sent;
    expect(handler.applied).toEqual([numbered(1)]);
  });

  it('applies commands one after another, in the order in which they were sent', async () => {
    const { bus, handler } = await stage.node();
    let open = 0;
    let most = 0;
    handler.wait = async () => {
      most = Math.max(most, ++open);
      // The earlier a command, the longer it takes.
      for (let turn = handler.begun.length; turn < 20; turn++)
        await new Promise((done) => setImmediate(done));
      open--;
    };
    const sent = Array.from({ length: 20 }, (_, i) => numbered(i));
    await Promise.all(sent.map((command) => bus.send(command)));
    expect(handler.applied).toEqual(sent);
    expect(most).toBe(1);
  });

  it('says with 100 that a command was not applied, and goes on with the next', async () => {
    const { bus, handler } = await stage.node();
    handler.wait = async () => {
      if (handler.begun.length === 1) throw new Error('a handler of this test throws');
    };
    const outcomes = await Promise.allSettled([bus.send(numbered(1)), bus.send(numbered(2))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    const [first] = outcomes;
    expect(first).toMatchObject({ reason: refusal(100) });
    expect(first).toMatchObject({ reason: { temporary: true, message: 'applied on 0 of 1 nodes' } });
    expect(handler.applied).toEqual([numbered(2)]);
  });
}

function surveys(contract: ControlBusContract): void {
  const stage = useStage(contract);

  it('asks the node, and gives its answer as it was', async () => {
    const { bus, handler } = await stage.node();
    expect(await bus.survey('info', {})).toEqual({ answers: [handler.info()], missingNodes: [] });
    const query = { pattern: '*[a-z]{b,c}', after: '😀\n', limit: 7 };
    expect(await bus.survey('channels', query)).toEqual({
      answers: [{ channels: [{ channel: 'of one', numClients: 2 }], more: true }],
      missingNodes: [],
    });
    expect(handler.queries).toEqual([
      ['info', {}],
      ['channels', query],
    ]);
  });

  it('does not wait for commands', async () => {
    const { bus, handler } = await stage.node();
    const resolve = holdUp(handler);
    const sent = bus.send(numbered(1));
    await until(() => handler.begun.length === 1);
    handler.wait = async () => {};
    expect((await bus.survey('info', {})).answers).toHaveLength(1);
    resolve();
    await sent;
  });

  it('refuses with 100 where nobody answers', async () => {
    const { bus, handler } = await stage.node();
    handler.wait = async () => {
      throw new Error('a handler of this test throws');
    };
    await expect(bus.survey('info', {})).rejects.toEqual(refusal(100));
  });
}

function closing(contract: ControlBusContract): void {
  const stage = useStage(contract);

  it('may be closed twice, and refuses what comes later with 100', async () => {
    const { bus, handler } = await stage.node();
    await Promise.all([bus.close(), bus.close()]);
    await bus.close();
    await expect(bus.send(numbered(1))).rejects.toEqual(refusal(100));
    await expect(bus.survey('info', {})).rejects.toEqual(refusal(100));
    expect([handler.begun, handler.queries]).toEqual([[], []]);
  });

  it('settles what was sent before', async () => {
    const { bus, handler } = await stage.node();
    const refusals = rejected([1, 2, 3].map((n) => bus.send(numbered(n))));
    await bus.close();
    for (const reason of await refusals) expect(reason).toEqual(refusal(100));
    expect(handler.applied).toEqual([1, 2, 3].map(numbered).slice(0, handler.applied.length));
  });
}

function severalNodes(contract: ControlBusContract): void {
  const stage = useStage(contract);

  it('applies what any node sends on every node', async () => {
    const nodes = [await stage.node('one'), await stage.node('two'), await stage.node('three')];
    for (const { bus } of nodes) {
      for (const command of everyCommand) await bus.send(command);
    }
    for (const { handler } of nodes) {
      expect(handler.applied).toEqual([...everyCommand, ...everyCommand, ...everyCommand]);
    }
  });

  it('applies the commands of one sender in order everywhere', async () => {
    const [one, two] = [await stage.node('one'), await stage.node('two')];
    const sent = Array.from({ length: 50 }, (_, i) => numbered(i));
    await Promise.all(sent.map((command) => one.bus.send(command)));
    expect([one.handler.applied, two.handler.applied]).toEqual([sent, sent]);
  });

  it('asks every node, and none that has left', async () => {
    const nodes = [await stage.node('one'), await stage.node('two'), await stage.node('three')];
    const names = async (): Promise<string[]> => {
      const { answers, missingNodes } = (await nodes[0]?.bus.survey('info', {})) ?? {
        answers: [],
        missingNodes: [],
      };
      expect(missingNodes).toEqual([]);
      return answers.map(({ name }) => name).sort();
    };
    expect(await names()).toEqual(['one', 'three', 'two']);
    await nodes[2]?.bus.close();
    expect(await names()).toEqual(['one', 'two']);
    await nodes[0]?.bus.send(numbered(1));
    expect(nodes[1]?.handler.applied).toEqual([numbered(1)]);
  });

  it('says with 100 on how many nodes a command was applied', async () => {
    const [one, two] = [await stage.node('one'), await stage.node('two')];
    two.handler.wait = async () => {
      throw new Error('a handler of this test throws');
    };
    const outcome = one.bus.send(numbered(1));
    await expect(outcome).rejects.toEqual(refusal(100));
    await expect(outcome).rejects.toMatchObject({ message: 'applied on 1 of 2 nodes' });
    expect(one.handler.applied).toEqual([numbered(1)]);
  });
}
