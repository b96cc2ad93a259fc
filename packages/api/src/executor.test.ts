import { ClientError } from '@gyre/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { BroadcastRequest, PublishRequest } from './messages.ts';
import { requests } from './schema.ts';
import { TestApi } from './testing/api.ts';
import { clusterBus } from './testing/nodes.ts';

let api: TestApi;
afterEach(() => api.close());

const http = { protocol: 'http', wording: 'unknown channel' } as const;

const publish = (channel: string): PublishRequest => ({
  ...requests.publish.create(),
  channel,
  data: Buffer.from('1'),
});

describe('how a call ends', () => {
  it('with a result', async () => {
    api = await TestApi.start();
    expect(await api.executor.call('publish', publish('a'), http)).toEqual({ result: { duplicate: false } });
  });

  it('with a refusal, which is not logged', async () => {
    api = await TestApi.start();
    expect(await api.executor.call('publish', publish('unknown:a'), http)).toEqual({
      error: { code: 102, message: 'unknown channel' },
    });
    expect(api.errors).toEqual([]);
  });

  it('with the text of a refusal that says why', async () => {
    const broken = clusterBus([]);
    broken.send = () => Promise.reject(new ClientError(100, 'applied on 2 of 3 nodes', true));
    api = await TestApi.start({}, broken);
    const request = requests.disconnect.create();
    expect(await api.executor.call('disconnect', request, http)).toEqual({
      error: { code: 100, message: 'applied on 2 of 3 nodes' },
    });
    expect(api.errors).toEqual([]);
  });

  it('with error 100 for anything else, which is logged and not told', async () => {
    const broken = clusterBus([]);
    const cause = new Error('connection to 10.0.0.7 lost');
    broken.survey = () => Promise.reject(cause);
    api = await TestApi.start({}, broken);
    expect(await api.executor.call('info', {}, http)).toEqual({
      error: { code: 100, message: 'internal server error' },
    });
    expect(api.errors).toEqual([{ message: 'server API call failed', error: cause }]);
  });

  it('in the statistics', async () => {
    api = await TestApi.start();
    for (const channel of ['a', 'b', 'unknown:a']) {
      await api.executor.call('publish', publish(channel), http);
    }
    const { commands, errors, durations } = api.executor.stats;
    expect({ commands, errors }).toEqual({
      commands: { 'http:publish': 3 },
      errors: { 'http:publish:102': 1 },
    });
    expect(durations['http:publish']?.counts.reduce((sum, one) => sum + one)).toBe(3);
  });

  it('with an error in one place where only that failed', async () => {
    api = await TestApi.start();
    const request: BroadcastRequest = {
      ...requests.broadcast.create(),
      channels: ['unknown:a', 'a'],
      data: Buffer.from('1'),
    };
    expect(
      await api.executor.call('broadcast', request, { ...http, wording: 'namespace not found' }),
    ).toEqual({
      result: {
        responses: [
          { error: { code: 102, message: 'namespace not found' } },
          { result: { duplicate: false } },
        ],
      },
    });
  });
});
