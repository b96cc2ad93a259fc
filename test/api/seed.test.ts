import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  freePort,
  grpcStub,
  gyre,
  record,
  until,
  type GrpcError,
  type Gyre,
} from '../harness/index.ts';

/** The examples of the server API walkthrough, as callers send them: with the old flat options, in the old style. */

const API_KEY = 'YOUR_API_KEY';
let grpcPort: number;
let server: Gyre;
beforeAll(async () => {
  grpcPort = await freePort();
  server = await gyre.start({
    config: {
      http_api: { key: API_KEY },
      grpc_api_key: 'xxx',
      grpc_api_port: grpcPort,
      grpc_api_address: '127.0.0.1',
      allow_subscribe_for_client: true,
      presence: true,
      history_size: 10,
      history_ttl: '60s',
      namespaces: [{ name: 'chat', allow_subscribe_for_client: true }],
      swagger: true,
    },
    env: { CENTRIFUGO_GRPC_API: '1' },
  });
});

interface Sent {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** Exactly these headers, and those that HTTP needs. */
function post(path: string, headers: Record<string, string>, body: string): Promise<Sent> {
  return new Promise((resolve, reject) => {
    request(
      `${server.url}${path}`,
      { method: 'POST', headers: { ...headers, 'Content-Length': String(Buffer.byteLength(body)) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers['content-type'],
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    )
      .on('error', reject)
      .end(body);
  });
}

const apikey = { Authorization: `apikey ${API_KEY}` };
const curl = {
  ...apikey,
  Accept: '*/*',
  'Content-Type': 'application/x-www-form-urlencoded',
  'User-Agent': 'curl/7.88.1',
};
const ok = (body: string): Sent => ({ status: 200, type: 'application/json', body });

async function listen(channel: string) {
  const client = await connectClient(server, { user: 'alice' });
  const subscription = client.newSubscription(channel);
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  return events.publication;
}

describe('over HTTP', () => {
  it('curl calls info', async () => {
    const { status, body } = await post('/api', curl, '{"method": "info", "params": {}}');
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      result: { nodes: [{ num_clients: expect.any(Number) as number }] },
    });
  });

  it('requests of Python publishes', async () => {
    const publications = await listen('chat:docs');
    const headers = {
      ...apikey,
      'Content-type': 'application/json',
      'Accept-Encoding': 'gzip, deflate',
      Accept: '*/*',
    };
    const body = '{"method": "publish", "params": {"channel": "chat:docs", "data": {"content": "1"}}}';
    expect(await post('/api', headers, body)).toEqual(ok('{"result":{}}'));
    await until(() => publications.length > 0);
    expect(publications.map(({ data }) => data as unknown)).toEqual([{ content: '1' }]);
  });

  it('httpie publishes, and is told of an error', async () => {
    const httpie = {
      ...apikey,
      Accept: 'application/json, */*',
      'Accept-Encoding': 'gzip, deflate',
      'Content-Type': 'application/json',
      'User-Agent': 'HTTPie/0.9.8',
    };
    const command = (channel: string): string =>
      `{"method": "publish", "params": {"channel": "${channel}", "data": {"text": "hello"}}}\n`;
    expect(await post('/api', httpie, command('chat:index'))).toEqual(ok('{"result":{}}'));
    expect(await post('/api', httpie, command('unknown:chat'))).toEqual(
      ok('{"error":{"code":102,"message":"namespace not found"}}'),
    );
    expect(
      await post('/api/publish', httpie, '{"channel": "unknown:chat", "data": {"text": "hello"}}'),
    ).toEqual(ok('{"error":{"code":102,"message":"unknown channel"}}'));
  });

  it('presence, presence_stats, history and history_remove', async () => {
    await listen('room');
    const command = (method: string, more = ''): string =>
      `{"method": "${method}", "params": {"channel": "room"${more}}}`;
    await post('/api', curl, command('publish', ', "data": {"text": "hello"}'));
    const { result } = JSON.parse((await post('/api', curl, command('presence'))).body) as {
      result: { presence: Record<string, { user: string; client: string }> };
    };
    expect(Object.entries(result.presence).map(([id, { user, client }]) => [id === client, user])).toEqual([
      [true, 'alice'],
    ]);
    expect(await post('/api', curl, command('presence_stats'))).toEqual(
      ok('{"result":{"num_clients":1,"num_users":1}}'),
    );
    expect(JSON.parse((await post('/api', curl, command('history', ', "limit": 2'))).body)).toEqual({
      result: {
        epoch: expect.stringMatching(/^\w+$/) as string,
        offset: 1,
        publications: [{ data: { text: 'hello' }, offset: 1 }],
      },
    });
    expect(await post('/api', curl, command('history_remove'))).toEqual(ok('{"result":{}}'));
    expect((await post('/api', curl, '{"method": "channels", "params": {}}')).body).toContain(
      '"room":{"num_clients":1}',
    );
  });

  it('several commands in one request', async () => {
    const body =
      '{"method": "publish", "params": {"channel": "test1", "data": {"test": 1}}}\n' +
      '{"method": "publish", "params": {"channel": "test2", "data": {"test": 2}}}';
    const answer = await post('/api', curl, body);
    const lines = answer.body.split('\n').map((line) => JSON.parse(line) as unknown);
    const published = { result: { offset: 1, epoch: expect.stringMatching(/^\w+$/) as string } };
    expect(lines).toEqual([published, published]);
  });

  it('the key in the query; none, or a wrong one', async () => {
    const info = '{"method": "info", "params": {}}';
    expect((await post(`/api?api_key=${API_KEY}`, {}, info)).status).toBe(200);
    expect((await post('/api?api_key=wrong', {}, info)).status).toBe(401);
    expect(await post('/api', {}, info)).toEqual({ status: 401, type: undefined, body: '' });
  });
});

describe('over gRPC', () => {
  const withKey = { authorization: 'apikey xxx' };

  it('Info', async () => {
    const answer = await grpcStub(grpcPort, withKey).call<{ error?: object; result: { nodes: object[] } }>(
      'Info',
      {},
    );
    expect(answer.error).toBeUndefined();
    expect(answer.result.nodes).toMatchObject([{ uid: expect.stringMatching(/^[0-9a-f-]{36}$/) as string }]);
  });

  it('Publish, which reaches clients', async () => {
    const publications = await listen('chat:index');
    const data = Buffer.from('{"input": "hello from GRPC"}');
    const stub = grpcStub(grpcPort, withKey);
    expect(await stub.call('Publish', { channel: 'chat:index', data })).toEqual({ result: {} });
    await until(() => publications.length > 0);
    expect(publications.map((publication) => publication.data as unknown)).toEqual([
      { input: 'hello from GRPC' },
    ]);
  });

  it('an error of the API is inside of the answer', async () => {
    expect(
      await grpcStub(grpcPort, withKey).call('Publish', { channel: 'unknown:a', data: Buffer.from('1') }),
    ).toEqual({ error: { code: 102, message: 'unknown channel' } });
  });

  it('a wrong key, or none', async () => {
    for (const metadata of [{}, { authorization: 'apikey yyy' }]) {
      const error = await grpcStub(grpcPort, metadata)
        .call('Info', {})
        .catch((refused: GrpcError) => refused);
      expect(error).toMatchObject({ code: 16, details: 'unauthenticated' });
    }
  });
});

describe('the description of the API', () => {
  it('is a page, and an OpenAPI document', async () => {
    for (const path of ['/swagger', '/swagger/']) {
      const page = await fetch(`${server.url}${path}`);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const html = await page.text();
      expect(html).toContain('<code>POST /api/publish</code>');
      expect(html).not.toMatch(/<script|src=|https?:\/\/(?!localhost)/);
    }
    const document = (await (await fetch(`${server.url}/swagger/openapi.json`)).json()) as { paths: object };
    for (const path of Object.keys(document.paths)) {
      const { status } = await api(server, path.slice(1));
      expect(status, path).toBe(200);
    }
  });
});
