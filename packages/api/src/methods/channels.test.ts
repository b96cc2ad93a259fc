import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestApi } from '../testing/api.ts';
import { clusterBus, Nodes } from '../testing/nodes.ts';

interface Page {
  channels: Record<string, { num_clients: number }>;
  cursor?: string;
  missing_nodes?: string[];
}

async function over(channels: readonly ReadonlyMap<string, number>[], missing: readonly string[] = []) {
  const nodes = channels.map((map) => Object.assign(new Nodes(), { channels: map }));
  const api = await TestApi.start({}, clusterBus(nodes, missing));
  const ask = async (params: object): Promise<Page> => {
    const { body } = await api.post('/channels', JSON.stringify(params));
    return (JSON.parse(body) as { result: Page }).result;
  };
  return { ask, close: () => api.close() };
}

const counts = (page: Page): [string, number][] =>
  Object.entries(page.channels).map(([name, { num_clients }]) => [name, num_clients]);

const nodeChannels = fc
  .dictionary(fc.string({ unit: 'binary', minLength: 1 }), fc.integer({ min: 1, max: 9 }), { maxKeys: 12 })
  .map((channels) => new Map(Object.entries(channels)));

describe('channels of several nodes', () => {
  it('are summed', async () => {
    const { ask, close } = await over([
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map(),
      new Map([['b', 3]]),
    ]);
    expect(await ask({})).toEqual({ channels: { a: { num_clients: 1 }, b: { num_clients: 5 } } });
    await close();
  });

  it('say which nodes are missing', async () => {
    const { ask, close } = await over([new Map([['a', 1]])], ['n2', 'n3']);
    expect(await ask({})).toMatchObject({ missing_nodes: ['n2', 'n3'] });
    expect(await ask({ limit: 1 })).toMatchObject({ missing_nodes: ['n2', 'n3'] });
    await close();
  });

  it('come in pages whose union is the whole, each name once and with its whole sum', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(nodeChannels, { maxLength: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (nodes, limit) => {
          const { ask, close } = await over(nodes);
          const paged: [string, number][] = [];
          let cursor: string | undefined;
          do {
            const page: Page = await ask({ limit, ...(cursor !== undefined && { cursor }) });
            expect(counts(page).length).toBeLessThanOrEqual(limit);
            paged.push(...counts(page));
            cursor = page.cursor;
          } while (cursor !== undefined);
          expect(new Map(paged).size).toBe(paged.length);
          expect(new Map(paged)).toEqual(new Map(counts(await ask({}))));
          await close();
        },
      ),
    );
  });

  it('leave others their turn, however many there are', async () => {
    const many = new Map(Array.from({ length: 50_001 }, (_, index) => [`channel-${index}`, 1]));
    const { ask, close } = await over([many, many]);
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) setImmediate(count);
    };
    setImmediate(count);
    expect(Object.keys((await ask({})).channels)).toHaveLength(50_001);
    running = false;
    expect(turns).toBeGreaterThan(50);
    await close();
  });
});

it('info says which nodes are missing', async () => {
  const api = await TestApi.start({}, clusterBus([new Nodes(), new Nodes()], ['n3']));
  const { body } = await api.post('/info', '{}');
  const { result } = JSON.parse(body) as { result: { nodes: unknown[]; missing_nodes: string[] } };
  expect([result.nodes.length, result.missing_nodes]).toEqual([2, ['n3']]);
  await api.close();
});
