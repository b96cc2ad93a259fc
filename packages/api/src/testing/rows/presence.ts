import { expect } from 'vitest';
import type { TestApi } from '../api.ts';
import type { Rows } from './row.ts';

const members = async (api: TestApi) => {
  await api.presence.add('seen:a', { user: 'u', client: 'c1', connInfo: Buffer.from('{"n": 1}') });
  await api.presence.add('seen:a', { user: '', client: 'c2', chanInfo: Buffer.from('[\n2\r\n]') });
};

export const presence: Rows = [
  { what: 'of nobody', params: '{"channel":"seen:a"}', result: { presence: {} } },
  {
    what: 'of members',
    params: '{"channel":"seen:a"}',
    given: members,
    result: {
      presence: {
        c1: { user: 'u', client: 'c1', conn_info: { n: 1 } },
        c2: { user: '', client: 'c2', chan_info: [2] },
      },
    },
  },
  {
    what: 'info that is not JSON, as base64',
    params: '{"channel":"seen:a"}',
    given: (api) => api.presence.add('seen:a', { user: 'u', client: 'c', connInfo: Buffer.from([0xff, 0]) }),
    result: { presence: { c: { user: 'u', client: 'c', b64conn_info: '/wA=' } } },
  },
  {
    what: 'a page, and that there is another one',
    params: '{"channel":"seen:a","limit":1}',
    given: members,
    result: { presence: expect.anything() as unknown, cursor: expect.stringMatching(/./) as unknown },
  },
  {
    what: 'a cursor without a limit',
    params: '{"channel":"seen:a","cursor":"x"}',
    error: 107,
    message: 'cursor without limit',
  },
  {
    what: 'a cursor that no page gave',
    params: '{"channel":"seen:a","limit":1,"cursor":"*?*"}',
    error: 107,
    message: 'unknown cursor',
  },
  {
    what: 'a limit below zero',
    params: '{"channel":"seen:a","limit":-1}',
    error: 107,
    message: 'limit is negative',
  },
  { what: 'a channel without presence', params: '{"channel":"a"}', error: 108 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a"}', error: 102 },
  { what: 'no channel', params: '{}', error: 107 },
];

export const presenceStats: Rows = [
  { what: 'of nobody', params: '{"channel":"seen:a"}', result: { num_clients: 0, num_users: 0 } },
  {
    what: 'of members',
    params: '{"channel":"seen:a"}',
    given: members,
    result: { num_clients: 2, num_users: 2 },
  },
  { what: 'a channel without presence', params: '{"channel":"a"}', error: 108 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a"}', error: 102 },
  { what: 'no channel', params: '{}', error: 107 },
];
