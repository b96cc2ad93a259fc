import type { TestApi } from '../api.ts';
import { nodeInfo } from '../nodes.ts';
import type { Rows } from './row.ts';

const activeChannels = async (api: TestApi) => {
  api.nodes.channels = new Map([
    ['b:2', 1],
    ['a:1', 2],
    ['__proto__', 3],
  ]);
};

export const channels: Rows = [
  { what: 'none', params: '{}', result: { channels: {} } },
  {
    what: 'all',
    params: '{}',
    given: activeChannels,
    result: {
      channels: JSON.parse(
        '{"a:1":{"num_clients":2},"b:2":{"num_clients":1},"__proto__":{"num_clients":3}}',
      ) as unknown,
    },
  },
  {
    what: 'pattern',
    params: '{"pattern":"a*"}',
    given: activeChannels,
    result: { channels: { 'a:1': { num_clients: 2 } } },
  },
  { what: 'an invalid pattern', params: '{"pattern":"[a"}', error: 107, message: 'invalid pattern' },
  {
    what: 'the first page',
    params: '{"limit":2}',
    given: activeChannels,
    result: {
      channels: JSON.parse('{"a:1":{"num_clients":2},"__proto__":{"num_clients":3}}') as unknown,
      cursor: 'YTox',
    },
  },
  {
    what: 'the last page',
    params: '{"limit":2,"cursor":"YTox"}',
    given: activeChannels,
    result: { channels: { 'b:2': { num_clients: 1 } } },
  },
  {
    what: 'a cursor that no page gave',
    params: '{"limit":2,"cursor":"*"}',
    error: 107,
    message: 'unknown cursor',
  },
  {
    what: 'a cursor without a limit',
    params: '{"cursor":"YTox"}',
    error: 107,
    message: 'cursor without limit',
  },
  { what: 'a limit below zero', params: '{"limit":-1}', error: 107, message: 'limit is negative' },
];

export const info: Rows = [
  {
    what: 'every field',
    params: '{}',
    result: {
      nodes: [
        {
          uid: nodeInfo.uid,
          name: 'host_8000',
          version: '0.1.0',
          num_clients: 3,
          num_users: 2,
          num_channels: 1,
          uptime: 5,
          metrics: { interval: 60, items: { 'messages.sent': 1.5 } },
          num_subs: 4,
        },
      ],
    },
  },
  {
    what: 'zeros',
    params: '{}',
    given: async (api) => {
      const metrics = { interval: 0, items: { rate: NaN } };
      api.nodes.info = {
        ...nodeInfo,
        metrics,
        numClients: 0,
        numUsers: 0,
        numChannels: 0,
        numSubs: 0,
        uptime: 0,
      };
    },
    result: {
      nodes: [
        {
          uid: nodeInfo.uid,
          name: 'host_8000',
          version: '0.1.0',
          num_clients: 0,
          metrics: { items: { rate: null } },
          num_users: 0,
          num_channels: 0,
          num_subs: 0,
        },
      ],
    },
  },
];

export const rpc: Rows = [
  { what: 'there are no methods', params: '{"method":"getTime","params":{}}', error: 104 },
  { what: 'no method', params: '{}', error: 107 },
];
