import { expect } from 'vitest';
import { delivered, epoch, kept, keptIn, subscribed, type Rows } from './row.ts';

export const publish: Rows = [
  {
    what: 'into a channel without history',
    params: '{"channel":"a","data":{"x":1}}',
    given: subscribed('a'),
    result: {},
    after: (api) => expect(delivered(api)).toEqual([{ channel: 'a', data: '{"x":1}' }]),
  },
  {
    what: 'into a channel with history',
    params: '{"channel":"kept:a","data":"x"}',
    given: subscribed('kept:a'),
    result: kept,
    after: (api) => expect(delivered(api)).toEqual([{ channel: 'kept:a', data: '"x"', offset: 1 }]),
  },
  {
    what: 'data untouched, spaces and spellings included',
    params: '{"channel":"a","data": {"b": 1.50, "a":12345678901234567890, "é":"\\u00e9", "b":[ ]} }',
    given: subscribed('a'),
    result: {},
    after: (api) =>
      expect(delivered(api)[0]?.data).toBe('{"b": 1.50, "a":12345678901234567890, "é":"\\u00e9", "b":[ ]}'),
  },
  {
    what: 'null is data',
    params: '{"channel":"a","data":null}',
    given: subscribed('a'),
    result: {},
    after: (api) => expect(delivered(api)[0]?.data).toBe('null'),
  },
  {
    what: 'b64data before data',
    params: '{"channel":"a","data":1,"b64data":"aGVs\\nbG8="}',
    given: subscribed('a'),
    result: {},
    after: (api) => expect(delivered(api)[0]?.data).toBe('hello'),
  },
  { what: 'b64data of the wrong alphabet', params: '{"channel":"a","data":1,"b64data":"_-_-"}', error: 107 },
  {
    what: 'b64data with something else in it',
    params: '{"channel":"a","data":1,"b64data":"aGV*"}',
    error: 107,
  },
  { what: 'b64data cut short', params: '{"channel":"a","data":1,"b64data":"aGVsbG8"}', error: 107 },
  { what: 'b64data of padding', params: '{"channel":"a","data":1,"b64data":"===="}', error: 107 },
  {
    what: 'b64data with nothing in it',
    params: '{"channel":"a","data":1,"b64data":"\\n"}',
    given: subscribed('a'),
    result: {},
    after: (api) => expect(delivered(api)[0]?.data).toBe('1'),
  },
  { what: 'empty b64data', params: '{"channel":"a","b64data":""}', error: 107 },
  {
    what: 'skip_history',
    params: '{"channel":"kept:a","data":1,"skip_history":true}',
    given: subscribed('kept:a'),
    result: {},
    after: async (api) => {
      expect(delivered(api)).toEqual([{ channel: 'kept:a', data: '1' }]);
      expect(await keptIn(api, 'kept:a')).toEqual([]);
    },
  },
  {
    what: 'tags',
    params: '{"channel":"a","data":1,"tags":{"k":"v","__proto__":"p","n":null}}',
    given: subscribed('a'),
    result: {},
    after: (api) =>
      expect(Object.entries(api.delivered[0]?.publication.tags ?? {})).toEqual([
        ['k', 'v'],
        ['__proto__', 'p'],
        ['n', ''],
      ]),
  },
  { what: 'a tag that is no string', params: '{"channel":"a","data":1,"tags":{"k":1}}', malformed: true },
  {
    what: 'idempotency_key for the first time',
    params: '{"channel":"kept:a","data":1,"idempotency_key":"k"}',
    result: kept,
  },
  {
    what: 'idempotency_key again',
    params: '{"channel":"kept:a","data":1,"idempotency_key":"k"}',
    given: async (api) => {
      await api.broker.subscribe('kept:a');
      await api.post('/publish', '{"channel":"kept:a","data":1,"idempotency_key":"k"}');
      await api.post('/publish', '{"channel":"kept:a","data":2}');
    },
    result: { ...kept, duplicate: true },
    after: (api) => expect(delivered(api).map(({ data }) => data)).toEqual(['1', '2']),
  },
  {
    what: 'idempotency_key again without history',
    params: '{"channel":"a","data":1,"idempotency_key":"k"}',
    given: (api) => api.post('/publish', '{"channel":"a","data":1,"idempotency_key":"k"}'),
    result: { duplicate: true },
  },
  {
    what: 'idempotency_key again with other data',
    params: '{"channel":"kept:a","data":2,"idempotency_key":"k"}',
    given: (api) => api.post('/publish', '{"channel":"kept:a","data":1,"idempotency_key":"k"}'),
    error: 107,
    message: 'idempotency key was used with other data',
    after: async (api) => expect(await keptIn(api, 'kept:a')).toEqual(['1']),
  },
  {
    what: 'idempotency_key of another channel',
    params: '{"channel":"kept:b","data":1,"idempotency_key":"k"}',
    given: (api) => api.post('/publish', '{"channel":"kept:a","data":1,"idempotency_key":"k"}'),
    result: kept,
  },
  {
    what: 'delta',
    params: '{"channel":"kept:a","data":1,"delta":true}',
    given: subscribed('kept:a'),
    result: kept,
    after: (api) => expect(delivered(api)[0]).toMatchObject({ delta: true }),
  },
  {
    what: 'delta by the rule of the channel',
    params: '{"channel":"delta:a","data":1,"delta":false}',
    given: subscribed('delta:a'),
    result: kept,
    after: (api) => expect(delivered(api)[0]).toMatchObject({ delta: true }),
  },
  {
    what: 'a version not above the last one',
    params: '{"channel":"kept:a","data":2,"version":7}',
    given: (api) => api.post('/publish', '{"channel":"kept:a","data":1,"version":7}'),
    result: kept,
    after: async (api) => expect(await keptIn(api, 'kept:a')).toEqual(['1']),
  },
  {
    what: 'a lower version of another version_epoch',
    params: '{"channel":"kept:a","data":2,"version":3,"version_epoch":"new"}',
    given: (api) => api.post('/publish', '{"channel":"kept:a","data":1,"version":7,"version_epoch":"old"}'),
    result: { offset: 2, epoch },
  },
  { what: 'version as a string', params: '{"channel":"a","data":1,"version":"5"}', malformed: true },
  { what: 'version as a fraction', params: '{"channel":"a","data":1,"version":5.5}', malformed: true },
  { what: 'version as a whole fraction', params: '{"channel":"a","data":1,"version":5.0}', malformed: true },
  { what: 'version below zero', params: '{"channel":"a","data":1,"version":-1}', malformed: true },
  { what: 'no channel', params: '{"data":1}', error: 107 },
  { what: 'null for a channel', params: '{"channel":null,"data":1}', error: 107 },
  { what: 'a channel that is no string', params: '{"channel":1,"data":1}', malformed: true },
  { what: 'no data', params: '{"channel":"a"}', error: 107 },
  { what: 'nothing', params: '{}', error: 107 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a","data":1}', error: 102 },
  { what: 'a namespace of another type', params: '{"channel":"map:a","data":1}', error: 107 },
  { what: 'a long name in many letters', params: `{"channel":"${'ж'.repeat(2048)}","data":1}`, result: {} },
  {
    what: 'a name of too many bytes',
    params: `{"channel":"${'ж'.repeat(2048)}a","data":1}`,
    error: 107,
    message: 'invalid channel name',
  },
  {
    what: 'a control character in the name',
    params: '{"channel":"a\\nb","data":1}',
    error: 107,
    message: 'invalid channel name',
  },
  {
    what: 'half a character in the name',
    params: '{"channel":"a\\ud800","data":1}',
    onlyJson: true,
    error: 107,
    message: 'invalid channel name',
  },
  { what: 'json: takes JSON', params: '{"channel":"json:a","data":[1]}', result: {} },
  { what: 'json: refuses the rest', params: '{"channel":"json:a","b64data":"aGVsbG8="}', error: 107 },
  {
    what: 'json: refuses bytes that are no text',
    params: '{"channel":"json:a","b64data":"Iv8i"}',
    error: 107,
  },
  { what: 'json_object: takes an object', params: '{"channel":"object:a","data": {"a":1} }', result: {} },
  { what: 'json_object: refuses an array', params: '{"channel":"object:a","data":[1]}', error: 107 },
  { what: 'binary: takes no data', params: '{"channel":"binary:a"}', result: kept },
  {
    what: 'names in any case, unknown fields, the last of doubled ones',
    params: '{"CHANNEL":"z","Channel":"a","zzz":{"deep":[1]},"daTa":1}',
    given: subscribed('a'),
    result: {},
    after: (api) => expect(delivered(api)).toEqual([{ channel: 'a', data: '1' }]),
  },
];

export const broadcast: Rows = [
  {
    what: 'each channel has its answer, in order',
    params: '{"channels":["kept:a","a","map:a","","json:a"],"b64data":"aGVsbG8="}',
    given: subscribed('kept:a', 'a'),
    result: {
      responses: [
        { result: kept },
        { result: {} },
        { error: { code: 107, message: 'bad request' } },
        { error: { code: 107, message: 'bad request' } },
        { error: { code: 107, message: 'bad request' } },
      ],
    },
    after: (api) =>
      expect(delivered(api)).toEqual([
        { channel: 'kept:a', data: 'hello', offset: 1 },
        { channel: 'a', data: 'hello' },
      ]),
  },
  {
    what: 'every parameter of publish',
    params:
      '{"channels":["kept:a","kept:b"],"data":1,"tags":{"k":"v"},"idempotency_key":"k","delta":true,"version":7,"version_epoch":"e"}',
    given: async (api) => {
      await subscribed('kept:a', 'kept:b')(api);
      await api.post('/publish', '{"channel":"kept:a","data":0,"version":7,"version_epoch":"e"}');
      await api.post('/publish', '{"channel":"kept:b","data":1,"idempotency_key":"k"}');
      api.delivered.length = 0;
    },
    result: { responses: [{ result: kept }, { result: { ...kept, duplicate: true } }] },
    after: (api) => expect(delivered(api)).toEqual([]),
  },
  {
    what: 'tags and delta',
    params: '{"channels":["kept:a"],"data":1,"tags":{"k":"v"},"delta":true}',
    given: subscribed('kept:a'),
    result: { responses: [{ result: kept }] },
    after: (api) =>
      expect(delivered(api)).toEqual([
        { channel: 'kept:a', data: '1', offset: 1, tags: { k: 'v' }, delta: true },
      ]),
  },
  {
    what: 'skip_history',
    params: '{"channels":["kept:a"],"data":1,"skip_history":true}',
    result: { responses: [{ result: {} }] },
    after: async (api) => expect(await keptIn(api, 'kept:a')).toEqual([]),
  },
  {
    what: 'no data is an error of each channel',
    params: '{"channels":["a","binary:a"]}',
    result: { responses: [{ error: { code: 107, message: 'bad request' } }, { result: kept }] },
  },
  {
    what: 'null for a channel',
    params: '{"channels":[null],"data":1}',
    result: { responses: [{ error: { code: 107, message: 'bad request' } }] },
  },
  { what: 'no channels', params: '{"channels":[],"data":1}', error: 107 },
  { what: 'bad base64 is an error of the call', params: '{"channels":["a"],"b64data":"*"}', error: 107 },
  { what: 'a channel that is no string', params: '{"channels":["a",1],"data":1}', malformed: true },
  { what: 'channels that are no list', params: '{"channels":"a","data":1}', malformed: true },
];
