import { status, type ServiceError } from '@grpc/grpc-js';
import protobufjs from 'protobufjs';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { grpc } from './grpc.ts';
import { messageType, serveGrpc, type GrpcDoor } from './testing/grpc.ts';
import { KEY, TestApi } from './testing/api.ts';
import { clusterBus } from './testing/nodes.ts';

let api: TestApi;
afterEach(() => api.close());

const authorization = `apikey ${KEY}`;
const publish = (channel: string) => ({ channel, data: Buffer.from('1') });

/** As published by Google; the detail is a `google.protobuf.Any`. */
const richStatus = protobufjs
  .parse(
    `syntax = "proto3"; package google.rpc;
    message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
    message Any { string type_url = 1; bytes value = 2; }`,
  )
  .root.lookupType('google.rpc.Status');

/** How a call ended that must not succeed. */
async function refused(answer: Promise<unknown>): Promise<ServiceError> {
  return answer.then(
    (value) => {
      throw new Error(`answered: ${JSON.stringify(value)}`);
    },
    (error: ServiceError) => error,
  );
}

async function serve(...options: Parameters<TestApi['grpc']>): Promise<GrpcDoor> {
  api = await TestApi.start();
  return api.grpc(...options);
}

describe('the key', () => {
  it('lets in', async () => {
    const door = await serve();
    expect(await door.call('Publish', publish('a'), { authorization })).toEqual({ result: {} });
  });

  it.each([
    ['none', {}],
    ['another', { authorization: 'apikey wrong' }],
    ['the key alone', { authorization: KEY }],
    ['the word in capitals', { authorization: `Apikey ${KEY}` }],
    ['two spaces', { authorization: `apikey  ${KEY}` }],
    ['another word', { authorization: `bearer ${KEY}` }],
    ['under the name it has over HTTP', { 'x-api-key': KEY }],
    ['a part of it', { authorization: authorization.slice(0, -1) }],
  ])('%s does not', async (_, metadata) => {
    const door = await serve();
    await api.broker.subscribe('a');
    for (const method of ['Publish', 'Batch']) {
      const error = await refused(door.call(method, publish('a'), metadata));
      expect([error.code, error.details]).toEqual([status.UNAUTHENTICATED, 'unauthenticated']);
    }
    expect(api.delivered).toEqual([]);
    expect(api.executor.stats.commands).toEqual({});
  });

  it('is looked at before a message that is too large to be read', async () => {
    const door = await serve();
    const error = await refused(door.send('Publish', Buffer.alloc(5 * 1024 * 1024)));
    expect(error.code).toBe(status.UNAUTHENTICATED);
    const known = await refused(door.send('Publish', Buffer.alloc(5 * 1024 * 1024), { authorization }));
    expect(known.code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('may change while the server runs, and the error mode too', async () => {
    api = await TestApi.start();
    const options = { executor: api.executor, reflection: false, log: {} };
    const live: { key: string; errorMode: '' | 'transport' } = { key: 'old', errorMode: '' };
    const door = await serveGrpc(grpc(Object.assign(live, options)));
    onTestFinished(() => door.close());
    const call = () => door.call('Publish', {}, { authorization: 'apikey new' });
    expect((await refused(call())).code).toBe(status.UNAUTHENTICATED);
    live.key = 'new';
    expect(await call()).toEqual({ error: { code: 107, message: 'bad request' } });
    live.errorMode = 'transport';
    expect((await refused(call())).code).toBe(status.INVALID_ARGUMENT);
  });

  it('is not asked for where none is configured', async () => {
    const door = await serve({ key: '' });
    expect(await door.call('Publish', publish('a'))).toEqual({ result: {} });
  });
});

describe('errors', () => {
  const cases: [string, object, number, number, string][] = [
    ['Publish', publish('unknown:a'), status.NOT_FOUND, 102, 'unknown channel'],
    ['RPC', { method: 'x' }, status.NOT_FOUND, 104, 'not found'],
    ['Publish', {}, status.INVALID_ARGUMENT, 107, 'bad request'],
    ['Presence', { channel: 'a' }, status.INVALID_ARGUMENT, 108, 'not available'],
    [
      'History',
      { channel: 'kept:a', since: { epoch: 'x' } },
      status.OUT_OF_RANGE,
      112,
      'unrecoverable position',
    ],
  ];

  /** What a status says beside its code and text. */
  function detailOf({ metadata }: ServiceError): unknown {
    const [bytes] = metadata.get('grpc-status-details-bin');
    return richStatus.toObject(richStatus.decode(bytes as Buffer));
  }

  it.each(cases)('%s %o', async (method, request, code, number, text) => {
    const door = await serve();
    const answer = { error: { code: number, message: text } };
    expect(await door.call(method, request, { authorization })).toEqual(answer);
    expect(await door.call(method, request, { authorization, 'x-centrifugo-error-mode': 'other' })).toEqual(
      answer,
    );
    const error = await refused(
      door.call(method, request, { authorization, 'x-centrifugo-error-mode': 'transport' }),
    );
    expect([error.code, error.details]).toEqual([code, text]);
    const value = messageType('Error').encode({ code: number, message: text }).finish();
    expect(detailOf(error)).toEqual({
      code,
      message: text,
      details: [
        { typeUrl: 'type.googleapis.com/centrifugal.centrifugo.api.Error', value: Buffer.from(value) },
      ],
    });
  });

  it('as statuses for everybody; never those inside a batch or a broadcast', async () => {
    const door = await serve({ errorMode: 'transport' });
    const error = await refused(door.call('Publish', publish('unknown:a'), { authorization }));
    expect(error.code).toBe(status.NOT_FOUND);
    const inside = { error: { code: 102, message: 'unknown channel' } };
    expect(
      await door.call('Batch', { commands: [{ publish: publish('unknown:a') }] }, { authorization }),
    ).toEqual({ replies: [inside] });
    expect(
      await door.call('Broadcast', { channels: ['unknown:a'], data: Buffer.from('1') }, { authorization }),
    ).toEqual({ result: { responses: [inside] } });
  });

  it('100 for what nobody knows, which is logged', async () => {
    const broken = clusterBus([]);
    broken.survey = () => Promise.reject(new Error('connection to 10.0.0.7 lost'));
    api = await TestApi.start({}, broken);
    const door = await api.grpc();
    expect(await door.call('Info', {}, { authorization })).toEqual({
      error: { code: 100, message: 'internal server error' },
    });
    expect(api.errors).toHaveLength(1);
  });

  it('a message that cannot be read', async () => {
    const door = await serve();
    const error = await refused(door.send('Publish', Buffer.from([0x0a, 9]), { authorization }));
    expect([error.code, error.details]).toEqual([status.INVALID_ARGUMENT, 'message cut short']);
    expect(api.errors).toEqual([]);
  });

  it.each(['MapPublish', 'SharedPollPublish', 'Connections', 'publish', 'toString'])(
    '%s is not served',
    async (method) => {
      const door = await serve();
      const error = await refused(door.send(method, Buffer.alloc(0), { authorization }));
      expect(error.code).toBe(status.UNIMPLEMENTED);
    },
  );
});

describe('over gRPC', () => {
  it('payloads are any bytes, there and back', async () => {
    const door = await serve();
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await door.call('Publish', { channel: 'kept:a', data: all }, { authorization });
    const answer = (await door.call('History', { channel: 'kept:a', limit: 1 }, { authorization })) as {
      result: { publications: { data: Buffer }[] };
    };
    expect(answer.result.publications[0]?.data).toEqual(all);
  });

  it('commands are counted as its own', async () => {
    const door = await serve();
    await door.call('Publish', publish('a'), { authorization });
    await door.call('Publish', publish('unknown:a'), { authorization });
    const { commands, errors, durations } = api.executor.stats;
    expect({ commands, errors }).toEqual({
      commands: { 'grpc:publish': 2 },
      errors: { 'grpc:publish:102': 1 },
    });
    expect(Object.keys(durations)).toEqual(['grpc:publish']);
  });

  it('an answer of very many entries comes whole', async () => {
    const door = await serve();
    const channels = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`channel:${i}`, 1]));
    api.nodes.channels = new Map(Object.entries(channels));
    const answer = (await door.call('Channels', {}, { authorization })) as {
      result: { channels: Record<string, { numClients: number }> };
    };
    expect(Object.keys(answer.result.channels).sort()).toEqual(Object.keys(channels).sort());
  });
});
