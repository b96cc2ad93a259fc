import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestApi } from '../testing/api.ts';
import { clusterBus } from '../testing/nodes.ts';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.start();
});
afterEach(() => api.close());

async function batch(commands: string, parallel = false): Promise<unknown> {
  const { status, body } = await api.post('/batch', `{"commands":[${commands}],"parallel":${parallel}}`);
  expect(status).toBe(200);
  return JSON.parse(body);
}

const refused = { error: { code: 107, message: 'bad request' } };
const unknown = { error: { code: 104, message: 'not found' } };

describe('batch', () => {
  it('of nothing answers nothing', async () => {
    for (const body of ['{}', 'null', '{"commands":[]}', '{"commands":null}', '{"parallel":true}']) {
      expect(await api.post('/batch', body)).toEqual({
        status: 200,
        contentType: 'application/json',
        body: '{}',
      });
    }
  });

  it.each([false, true])('answers each command in its place (parallel: %s)', async (parallel) => {
    const commands = [
      '{"publish":{"channel":"a","data":1}}',
      'null',
      '{}',
      '{"connections":{}}',
      '{"map_publish":{"channel":"a"}}',
      '{"publish":null}',
      '{"presence":{"channel":"a"}}',
      '{"channels":{}}',
      '{"info":null,"rpc":{}}',
    ];
    expect(await batch(commands.join(','), parallel)).toEqual({
      replies: [
        { publish: {} },
        refused,
        unknown,
        unknown,
        unknown,
        unknown,
        { error: { code: 108, message: 'not available' } },
        { channels: { channels: {} } },
        refused,
      ],
    });
  });

  it('runs only the first of several methods in one command, in an order of its own', async () => {
    const order = [
      'publish',
      'broadcast',
      'subscribe',
      'unsubscribe',
      'disconnect',
      'history',
      'history_remove',
    ]
      .concat(['presence', 'presence_stats', 'info', 'rpc', 'refresh', 'channels'])
      .map((method) => `"${method}":{"channel":"x"}`);
    await api.broker.subscribe('x');
    for (let from = order.length - 2; from >= 0; from--) {
      const command = `{${order.slice(from).reverse().join(',')}}`;
      const alone = `{${order[from] ?? ''}}`;
      expect(await batch(command)).toEqual(await batch(alone));
    }
    // Each of these was sent once in company and once alone.
    expect(api.commands.map(({ type }) => type).filter((type) => type !== 'refresh')).toEqual(
      ['disconnect', 'unsubscribe', 'subscribe'].flatMap((type) => [type, type]),
    );
  });

  it.each([false, true])('keeps the order of answers, however many (parallel: %s)', async (parallel) => {
    const numbers = Array.from({ length: 3000 }, (_, index) => index);
    const commands = numbers.map((n) => `{"publish":{"channel":"kept:${n % 7}","data":${n}}}`);
    const { replies } = (await batch(commands.join(','), parallel)) as {
      replies: { publish: { offset: number } }[];
    };
    expect(replies.map(({ publish }) => publish.offset)).toEqual(numbers.map((n) => Math.floor(n / 7) + 1));
  });

  it.each([
    [false, 1],
    [true, 3],
  ])('has so many commands under way at a time (parallel: %s): %i', async (parallel, most) => {
    let under = 0;
    let seen = 0;
    const bus = clusterBus([]);
    bus.send = async () => {
      seen = Math.max(seen, ++under);
      await setImmediate();
      under--;
    };
    await api.close();
    api = await TestApi.start({}, bus);
    const commands = ['{"disconnect":{}}', '{"unsubscribe":{}}', '{"refresh":{}}'];
    expect(await batch(commands.join(','), parallel)).toEqual({
      replies: [{ disconnect: {} }, { unsubscribe: {} }, { refresh: {} }],
    });
    expect(seen).toBe(most);
  });

  it('refuses a body with a wrong type anywhere, and runs nothing of it', async () => {
    await api.broker.subscribe('a');
    for (const bad of ['{"history":{"limit":"1"}}', '[]', '1', '{"publish":[]}']) {
      const body = `{"commands":[{"publish":{"channel":"a","data":1}},${bad}]}`;
      expect((await api.post('/batch', body)).status).toBe(400);
    }
    expect(api.delivered).toEqual([]);
  });

  it.each([
    [false, 18],
    [true, 7],
  ])('lets others have their turn (parallel: %s)', async (parallel, least) => {
    let turns = 0;
    let running = true;
    const count = () => {
      turns++;
      if (running) globalThis.setImmediate(count);
    };
    globalThis.setImmediate(count);
    const command = '{"publish":{"channel":"a","data":1}}';
    // A turn every so many commands, and one for each slice of the answer that is written.
    await batch(Array.from({ length: 4096 }, () => command).join(','), parallel);
    running = false;
    expect(turns).toBeGreaterThanOrEqual(least);
  });
});
