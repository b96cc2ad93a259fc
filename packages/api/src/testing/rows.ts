import { expect } from 'vitest';
import type { CommandName } from '../messages.ts';
import type { TestApi } from './api.ts';
import { nodeInfo } from './nodes.ts';

/** One call and how it ends, on every carrier. */
export interface Row {
  readonly method: CommandName;
  readonly what: string;
  /** The request as JSON text, placed into the carrier's envelope as it is. */
  readonly params: string;
  /** What happened before. */
  readonly given?: (api: TestApi) => Promise<unknown>;
  /** What the result is; or else an error's code, or that the parameters are not of the schema. */
  readonly result?: unknown;
  readonly error?: number;
  readonly malformed?: true;
  /** What it has done. */
  readonly then?: (api: TestApi) => Promise<void> | void;
}

export const errorMessages: Readonly<Record<number, string>> = {
  100: 'internal server error',
  104: 'not found',
  107: 'bad request',
  108: 'not available',
  112: 'unrecoverable position',
};

const epoch = expect.stringMatching(/^[A-Za-z]{8}$/) as unknown;
const kept = { offset: 1, epoch };

const publishedBefore =
  (channel: string, ...texts: string[]) =>
  async (api: TestApi) => {
    for (const text of texts) await api.post('/publish', `{"channel":"${channel}","data":${text}}`);
  };

const subscribed =
  (...channels: string[]) =>
  async (api: TestApi): Promise<void> => {
    for (const channel of channels) await api.broker.subscribe(channel);
  };

/** What subscribers got: the texts of the data, and whatever else there is. */
function delivered(api: TestApi) {
  return api.delivered.map(({ channel, publication: { data, tags, offset }, delta }) => ({
    channel,
    data: Buffer.from(data).toString(),
    ...(tags && { tags: { ...tags } }),
    ...(offset !== undefined && { offset }),
    ...(delta && { delta }),
  }));
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

async function keptIn(api: TestApi, channel: string): Promise<string[]> {
  const page = await api.broker.history(channel, { limit: -1 }, { metaTtlMs: 60_000 });
  return page.publications.map(({ data }) => Buffer.from(data).toString());
}

const publish: readonly Omit<Row, 'method'>[] = [
  {
    what: 'into a channel without history',
    params: '{"channel":"a","data":{"x":1}}',
    given: subscribed('a'),
    result: {},
    then: (api) => expect(delivered(api)).toEqual([{ channel: 'a', data: '{"x":1}' }]),
  },
  {
    what: 'into a channel with history',
    params: '{"channel":"kept:a","data":"x"}',
    given: subscribed('kept:a'),
    result: kept,
    then: (api) => expect(delivered(api)).toEqual([{ channel: 'kept:a', data: '"x"', offset: 1 }]),
  },
  {
    what: 'data untouched, spaces and spellings included',
    params: '{"channel":"a","data": {"b": 1.50, "a":12345678901234567890, "é":"\\u00e9", "b":[ ]} }',
    given: subscribed('a'),
    result: {},
    then: (api) =>
      expect(delivered(api)[0]?.data).toBe('{"b": 1.50, "a":12345678901234567890, "é":"\\u00e9", "b":[ ]}'),
  },
  {
    what: 'null is data',
    params: '{"channel":"a","data":null}',
    given: subscribed('a'),
    result: {},
    then: (api) => expect(delivered(api)[0]?.data).toBe('null'),
  },
  {
    what: 'b64data before data',
    params: '{"channel":"a","data":1,"b64data":"aGVs\\nbG8="}',
    given: subscribed('a'),
    result: {},
    then: (api) => expect(delivered(api)[0]?.data).toBe('hello'),
  },
  { what: 'b64data of the wrong alphabet', params: '{"channel":"a","data":1,"b64data":"_-_-"}', error: 107 },
  {
    what: 'b64data with something else in it',
    params: '{"channel":"a","data":1,"b64data":"aGV*"}',
    error: 107,
  },
  { what: 'b64data cut short', params: '{"channel":"a","data":1,"b64data":"aGVsbG8"}', error: 107 },
  { what: 'b64data of padding', params: '{"channel":"a","data":1,"b64data":"===="}', error: 107 },
  { what: 'empty b64data', params: '{"channel":"a","b64data":""}', error: 107 },
  {
    what: 'skip_history',
    params: '{"channel":"kept:a","data":1,"skip_history":true}',
    given: subscribed('kept:a'),
    result: {},
    then: async (api) => {
      expect(delivered(api)).toEqual([{ channel: 'kept:a', data: '1' }]);
      expect(await keptIn(api, 'kept:a')).toEqual([]);
    },
  },
  {
    what: 'tags',
    params: '{"channel":"a","data":1,"tags":{"k":"v","__proto__":"p","n":null}}',
    given: subscribed('a'),
    result: {},
    then: (api) =>
      expect(Object.entries(api.delivered[0]!.publication.tags!)).toEqual([
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
    then: (api) => expect(delivered(api).map(({ data }) => data)).toEqual(['1', '2']),
  },
  {
    what: 'idempotency_key again without history',
    params: '{"channel":"a","data":1,"idempotency_key":"k"}',
    given: (api) => api.post('/publish', '{"channel":"a","data":1,"idempotency_key":"k"}'),
    result: { duplicate: true },
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
    then: (api) => expect(delivered(api)[0]).toMatchObject({ delta: true }),
  },
  {
    what: 'delta by the rule of the channel',
    params: '{"channel":"delta:a","data":1,"delta":false}',
    given: subscribed('delta:a'),
    result: kept,
    then: (api) => expect(delivered(api)[0]).toMatchObject({ delta: true }),
  },
  {
    what: 'a version not above the last one',
    params: '{"channel":"kept:a","data":2,"version":7}',
    given: (api) => api.post('/publish', '{"channel":"kept:a","data":1,"version":7}'),
    result: kept,
    then: async (api) => expect(await keptIn(api, 'kept:a')).toEqual(['1']),
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
  { what: 'a name of too many bytes', params: `{"channel":"${'ж'.repeat(2048)}a","data":1}`, error: 107 },
  { what: 'a control character in the name', params: '{"channel":"a\\nb","data":1}', error: 107 },
  { what: 'half a character in the name', params: '{"channel":"a\\ud800","data":1}', error: 107 },
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
    then: (api) => expect(delivered(api)).toEqual([{ channel: 'a', data: '1' }]),
  },
];

const broadcast: readonly Omit<Row, 'method'>[] = [
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
    then: (api) =>
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
    then: (api) => expect(delivered(api)).toEqual([]),
  },
  {
    what: 'tags and delta',
    params: '{"channels":["kept:a"],"data":1,"tags":{"k":"v"},"delta":true}',
    given: subscribed('kept:a'),
    result: { responses: [{ result: kept }] },
    then: (api) =>
      expect(delivered(api)).toEqual([
        { channel: 'kept:a', data: '1', offset: 1, tags: { k: 'v' }, delta: true },
      ]),
  },
  {
    what: 'skip_history',
    params: '{"channels":["kept:a"],"data":1,"skip_history":true}',
    result: { responses: [{ result: {} }] },
    then: async (api) => expect(await keptIn(api, 'kept:a')).toEqual([]),
  },
  {
    what: 'no data is an error of each channel',
    params: '{"channels":["a","binary:a"]}',
    result: { responses: [{ error: { code: 107, message: 'bad request' } }, { result: kept }] },
  },
  { what: 'no channels', params: '{"channels":[],"data":1}', error: 107 },
  { what: 'bad base64 is an error of the call', params: '{"channels":["a"],"b64data":"*"}', error: 107 },
  { what: 'a channel that is no string', params: '{"channels":["a",1],"data":1}', malformed: true },
  { what: 'channels that are no list', params: '{"channels":"a","data":1}', malformed: true },
];

const commandsAre =
  (...commands: unknown[]) =>
  (api: TestApi) =>
    expect(api.commands).toEqual(commands);

const narrowed = { user: 'u', client: 'c', session: 's' };

const subscribe: readonly Omit<Row, 'method'>[] = [
  {
    what: 'every parameter',
    params: `{"user":"u","channel":"a","client":"c","session":"s","info":{"i": 1.0},"data":[1],"expire_at":1999999999,
      "recover_since":{"offset":3,"epoch":"e"},"override":{"presence":{"value":true},"join_leave":{"value":true},
      "force_push_join_leave":{"value":true},"force_positioning":{"value":true},"force_recovery":{"value":true}}}`,
    result: {},
    then: (api) => {
      const [command] = api.commands;
      expect(command).toMatchObject({
        type: 'subscribe',
        target: narrowed,
        channel: 'a',
        recoverSince: { offset: 3, epoch: 'e' },
        grant: {
          expireAt: 1999999999,
          presence: true,
          joinLeave: true,
          pushJoinLeave: true,
          positioned: true,
          recoverable: true,
        },
      });
      const grant = command?.type === 'subscribe' ? command.grant : undefined;
      expect([text(grant?.chanInfo), text(grant?.data)]).toEqual(['{"i": 1.0}', '[1]']);
    },
  },
  {
    what: 'no more than it needs',
    params: '{"user":"","channel":"a","override":{"presence":{},"join_leave":null}}',
    result: {},
    then: (api) => {
      const [command] = api.commands;
      expect(command).toMatchObject({ type: 'subscribe', target: {}, grant: { presence: false } });
      expect(Object.keys(command?.type === 'subscribe' ? command.target : {})).toEqual(['user']);
      expect(command).not.toHaveProperty('recoverSince');
      for (const field of ['chanInfo', 'data', 'expireAt'])
        expect(command).not.toHaveProperty(`grant.${field}`);
    },
  },
  {
    what: 'b64info and b64data',
    params: '{"user":"u","channel":"a","info":1,"b64info":"aQ==","data":2,"b64data":"ZA=="}',
    result: {},
    then: (api) => {
      const grant = api.commands[0]?.type === 'subscribe' ? api.commands[0].grant : undefined;
      expect([text(grant?.chanInfo), text(grant?.data)]).toEqual(['i', 'd']);
    },
  },
  {
    what: 'bad b64info',
    params: '{"user":"u","channel":"a","b64info":"*"}',
    error: 107,
    then: commandsAre(),
  },
  {
    what: 'bad b64data',
    params: '{"user":"u","channel":"a","b64data":"*"}',
    error: 107,
    then: commandsAre(),
  },
  { what: 'no channel', params: '{"user":"u"}', error: 107, then: commandsAre() },
  {
    what: 'an unknown namespace',
    params: '{"user":"u","channel":"unknown:a"}',
    error: 102,
    then: commandsAre(),
  },
  {
    what: 'an override that is no object',
    params: '{"channel":"a","override":{"presence":true}}',
    malformed: true,
  },
  { what: 'expire_at as a fraction', params: '{"channel":"a","expire_at":1.5}', malformed: true },
];

const unsubscribe: readonly Omit<Row, 'method'>[] = [
  {
    what: 'every parameter',
    params: '{"user":"u","channel":"a","client":"c","session":"s"}',
    result: {},
    then: commandsAre({ type: 'unsubscribe', target: narrowed, channel: 'a' }),
  },
  {
    what: 'an empty channel is taken as a name',
    params: '{"user":"u"}',
    result: {},
    then: commandsAre({ type: 'unsubscribe', target: { user: 'u' }, channel: '' }),
  },
  {
    what: 'an unknown namespace',
    params: '{"user":"u","channel":"unknown:a"}',
    error: 102,
    then: commandsAre(),
  },
  { what: 'a control character in the name', params: '{"user":"u","channel":"\\u0000"}', error: 107 },
];

const forced = { type: 'disconnect', code: 3503, reason: 'force disconnect', whitelist: [] };

const disconnect: readonly Omit<Row, 'method'>[] = [
  {
    what: 'by user',
    params: '{"user":"u"}',
    result: {},
    then: commandsAre({ ...forced, target: { user: 'u' } }),
  },
  {
    what: 'every parameter',
    params:
      '{"user":"u","client":"c","session":"s","whitelist":["x","y"],"disconnect":{"code":4001,"reason":"so there"}}',
    result: {},
    then: commandsAre({
      type: 'disconnect',
      target: narrowed,
      code: 4001,
      reason: 'so there',
      whitelist: ['x', 'y'],
    }),
  },
  {
    what: 'no user is the anonymous ones',
    params: '{}',
    result: {},
    then: commandsAre({ ...forced, target: { user: '' } }),
  },
  { what: 'a code out of range', params: '{"disconnect":{"code":4294967296}}', malformed: true },
];

const refresh: readonly Omit<Row, 'method'>[] = [
  {
    what: 'every parameter, an end ahead',
    params: '{"user":"u","client":"c","session":"s","expired":false,"expire_at":9999999999,"info":{"i":1}}',
    result: {},
    then: (api) => {
      expect(api.commands).toMatchObject([
        { type: 'refresh', target: narrowed, expired: false, expireAt: 9999999999 },
      ]);
      expect(api.commands[0]?.type === 'refresh' && text(api.commands[0].info)).toBe('{"i":1}');
    },
  },
  {
    what: 'no end any more; the info stays as it is',
    params: '{"user":"u","info":{"i":1}}',
    result: {},
    then: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: false, expireAt: 0 }),
  },
  {
    what: 'an end in the past',
    params: '{"user":"u","expire_at":1000,"info":{"i":1}}',
    result: {},
    then: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: true, expireAt: 1000 }),
  },
  {
    what: 'expired',
    params: '{"user":"u","expired":true}',
    result: {},
    then: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: true, expireAt: 0 }),
  },
  { what: 'expired as a number', params: '{"user":"u","expired":1}', malformed: true },
];

const members = async (api: TestApi) => {
  await api.presence.add('seen:a', { user: 'u', client: 'c1', connInfo: Buffer.from('{"n": 1}') });
  await api.presence.add('seen:a', { user: '', client: 'c2', chanInfo: Buffer.from('[\n2\r\n]') });
};

const presence: readonly Omit<Row, 'method'>[] = [
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
  { what: 'a cursor without a limit', params: '{"channel":"seen:a","cursor":"x"}', error: 107 },
  { what: 'a cursor that no page gave', params: '{"channel":"seen:a","limit":1,"cursor":"*?*"}', error: 107 },
  { what: 'a limit below zero', params: '{"channel":"seen:a","limit":-1}', error: 107 },
  { what: 'a channel without presence', params: '{"channel":"a"}', error: 108 },
  { what: 'an unknown namespace', params: '{"channel":"unknown:a"}', error: 102 },
  { what: 'no channel', params: '{}', error: 107 },
];

const presenceStats: readonly Omit<Row, 'method'>[] = [
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

const four = publishedBefore('kept:a', '1', '2', '3', '4');
const page = (...offsets: number[]) => ({
  publications: offsets.map((offset) => ({ data: offset, offset })),
  epoch,
  offset: 4,
});

const history: readonly Omit<Row, 'method'>[] = [
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

const historyRemove: readonly Omit<Row, 'method'>[] = [
  {
    what: 'publications go, the position stays',
    params: '{"channel":"kept:a"}',
    given: four,
    result: {},
    then: async (api) => {
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

const activeChannels = async (api: TestApi) => {
  api.nodes.channels = new Map([
    ['b:2', 1],
    ['a:1', 2],
    ['__proto__', 3],
  ]);
};

const channels: readonly Omit<Row, 'method'>[] = [
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
  { what: 'an invalid pattern', params: '{"pattern":"[a"}', error: 107 },
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
  { what: 'a cursor that no page gave', params: '{"limit":2,"cursor":"*"}', error: 107 },
  { what: 'a cursor without a limit', params: '{"cursor":"YTox"}', error: 107 },
  { what: 'a limit below zero', params: '{"limit":-1}', error: 107 },
];

const info: readonly Omit<Row, 'method'>[] = [
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
      const { metrics: _, ...bare } = nodeInfo;
      api.nodes.info = { ...bare, numClients: 0, numUsers: 0, numChannels: 0, numSubs: 0, uptime: 0 };
    },
    result: {
      nodes: [
        {
          uid: nodeInfo.uid,
          name: 'host_8000',
          version: '0.1.0',
          num_clients: 0,
          num_users: 0,
          num_channels: 0,
          num_subs: 0,
        },
      ],
    },
  },
];

const rpc: readonly Omit<Row, 'method'>[] = [
  { what: 'there are no methods', params: '{"method":"getTime","params":{}}', error: 104 },
  { what: 'no method', params: '{}', error: 107 },
];

const byMethod: Readonly<Record<CommandName, readonly Omit<Row, 'method'>[]>> = {
  publish,
  broadcast,
  subscribe,
  unsubscribe,
  disconnect,
  refresh,
  presence,
  presence_stats: presenceStats,
  history,
  history_remove: historyRemove,
  channels,
  info,
  rpc,
};

/** Every method, parameter, result field and error. */
export const rows: readonly Row[] = Object.entries(byMethod).flatMap(([method, list]) =>
  list.map((row) => ({ ...row, method: method as CommandName })),
);
