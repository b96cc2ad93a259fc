import { expect } from 'vitest';
import { epoch, publishedBefore, type Rows } from './row.ts';

const four = publishedBefore('kept:a', '1', '2', '3', '4');
const page = (...offsets: number[]) => ({
  publications: offsets.map((offset) => ({ data: offset, offset })),
  epoch,
  offset: 4,
});

export const history: Rows = [
  {
    what: 'of a new channel',
    params: '{"channel":"kept:a"}',
    result: { publications: [], epoch, offset: 0 },
  },
  { what: 'without a limit: the position', params: '{"channel":"kept:a"}', given: four, result: page() },
  { what: 'limit', params: '{"channel":"kept:a","limit":2}', given: four, result: page(1, 2) },
  {
    what: 'limit below zero: all',
    params: '{"channel":"kept:a","limit":-1}',
    given: four,
    result: page(1, 2, 3, 4),
  },
  {
    what: 'since',
    params: '{"channel":"kept:a","limit":9,"since":{"offset":2}}',
    given: four,
    result: page(3, 4),
  },
  {
    what: 'reverse',
    params: '{"channel":"kept:a","limit":2,"reverse":true}',
    given: four,
    result: page(4, 3),
  },
  {
    what: 'reverse and since',
    params: '{"channel":"kept:a","limit":9,"reverse":true,"since":{"offset":3,"epoch":""}}',
    given: four,
    result: page(2, 1),
  },
  {
    what: 'reverse since nothing',
    params: '{"channel":"kept:a","limit":9,"reverse":true,"since":{}}',
    given: four,
    error: 107,
    message: 'nothing stands before offset 0',
  },
  {
    what: 'since another epoch',
    params: '{"channel":"kept:a","limit":9,"since":{"offset":2,"epoch":"elsewhere"}}',
    given: four,
    error: 112,
  },
  {
    what: 'all that a publication shows',
    params: '{"channel":"kept:a","limit":1}',
    given: (api) =>
      api.broker.publish(
        'kept:a',
        {
          data: Buffer.from('{\n"a": 1.50 }'),
          info: { user: 'u', client: 'c', connInfo: Buffer.from('1'), chanInfo: Buffer.from('2') },
          tags: { k: 'v' },
        },
        { history: { size: 1, ttlMs: 60_000, metaTtlMs: 60_000 } },
      ),
    result: {
      publications: [
        {
          data: { a: 1.5 },
          info: { user: 'u', client: 'c', conn_info: 1, chan_info: 2 },
          offset: 1,
          tags: { k: 'v' },
        },
      ],
      epoch,
      offset: 1,
    },
  },
  {
    what: 'data that is not JSON, as base64',
    params: '{"channel":"kept:a","limit":3}',
    given: async (api) => {
      await api.post('/publish', '{"channel":"kept:a","b64data":"aGVsbG8="}');
      await api.post('/publish', '{"channel":"kept:a","b64data":"Iv8i"}');
      await api.post('/publish', '{"channel":"kept:a","b64data":"MQ=="}');
    },
    result: {
      publications: [
        { b64data: 'aGVsbG8=', offset: 1 },
        { b64data: 'Iv8i', offset: 2 },
        { data: 1, offset: 3 },
      ],
      epoch,
      offset: 3,
    },
  },
  { what: 'limit out of range', params: '{"channel":"kept:a","limit":2147483648}', malformed: true },
  { what: 'since that is no object', params: '{"channel":"kept:a","since":[]}', malformed: true },
  { what: 'a channel without history', params: '{"channel":"a"}', error: 108 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a"}', error: 102 },
  { what: 'no channel', params: '{}', error: 107 },
];

export const historyRemove: Rows = [
  {
    what: 'publications go, the position stays',
    params: '{"channel":"kept:a"}',
    given: four,
    result: {},
    after: async (api) => {
      const { publications, position } = await api.broker.history(
        'kept:a',
        { limit: -1 },
        { metaTtlMs: 60_000 },
      );
      expect([publications, position.offset]).toEqual([[], 4]);
    },
  },
  { what: 'a channel without history', params: '{"channel":"a"}', error: 108 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a"}', error: 102 },
  { what: 'no channel', params: '{}', error: 107 },
];
