import { expect, it } from 'vitest';
import {
  api,
  connectClient,
  freePort,
  grpcStub,
  gyre,
  inSeconds,
  jwt,
  newClient,
  rawSocket,
  recordClient,
  until,
  type Gyre,
} from '../harness/index.ts';

/** What must be seen by nobody but who sent it. */
const planted = {
  apiKey: 'canary-api-key',
  grpcKey: 'canary-grpc-key',
  tokenSecret: 'canary-token-secret',
  previousSecret: 'canary-previous-secret',
  subscriptionSecret: 'canary-subscription-secret',
  wrongKey: 'canary-wrong-key',
  payload: 'canary-payload',
};

/** Tokens by what is wrong with them; each carries a canary of its own in its claims. */
const tokens = {
  good: jwt({ sub: 'alice', note: 'canary-good' }, planted.tokenSecret),
  expired: jwt({ sub: 'alice', note: 'canary-expired', exp: inSeconds(-10) }, planted.tokenSecret),
  forged: jwt({ sub: 'alice', note: 'canary-forged' }, 'another'),
  unreadable: 'canary-unreadable.token',
};

/** The text, and how it may have been dressed for a log. */
const spellings = (secret: string): string[] => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
];

/** A token is given away by any of its parts but the head, which is the same for all. */
const secrets = [
  ...Object.values(planted).flatMap(spellings),
  ...[tokens.good, tokens.expired, tokens.forged].flatMap((token) => token.split('.').slice(1)),
  tokens.unreadable,
];

async function callHttp(server: Gyre): Promise<string[]> {
  const good = { 'X-API-Key': planted.apiKey };
  const publish = `{"channel":"news","data":"${planted.payload}"}`;
  const url = (path: string): string => server.apiUrl + path;
  const requests: [url: string, headers: Record<string, string>, body: string][] = [
    [url('/publish'), good, publish],
    [url('/publish'), { Authorization: `apikey ${planted.apiKey}` }, publish],
    [url(`/publish?api_key=${planted.apiKey}`), {}, publish],
    [url(`?api_key=${planted.apiKey}`), {}, `{"method":"publish","params":${publish}}`],
    [url(`?api_key=${planted.wrongKey}`), {}, `{"method":"publish","params":${publish}}`],
    [url('/publish'), { 'X-API-Key': planted.wrongKey }, publish],
    [url(`/nosuch?api_key=${planted.apiKey}`), good, publish],
    [url('/publish'), good, `${publish}}`],
    [url('/publish'), good, `{"channel":"no:${'x'.repeat(5000)}","data":"${planted.payload}"}`],
    [url('/rpc'), good, `{"method":"${planted.payload}","params":"${planted.payload}"}`],
    [url('/batch'), good, `{"commands":[{"publish":${publish}},{}]}`],
    [url('/refresh'), good, '{"user":"alice","expired":true}'],
    [`${server.url}/elsewhere?api_key=${planted.apiKey}&token=${tokens.good}`, good, ''],
  ];
  const answers: string[] = [];
  for (const [to, headers, body] of requests) {
    const response = await fetch(to, { method: 'POST', headers, body });
    answers.push(`${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`);
  }
  return answers;
}

async function callGrpc(port: number): Promise<string[]> {
  const answers: string[] = [];
  for (const key of [planted.grpcKey, planted.wrongKey]) {
    const stub = grpcStub(port, { authorization: `apikey ${key}` });
    const data = Buffer.from(planted.payload);
    for (const channel of ['news', 'no:such', '']) {
      answers.push(
        await stub.call('Publish', { channel, data }).then(
          (answer) => JSON.stringify(answer),
          (error: Error) => error.message,
        ),
      );
    }
  }
  return answers;
}

async function connect(server: Gyre): Promise<string[]> {
  const told: string[] = [];
  const client = await connectClient(server, { token: tokens.good });
  const subscription = client.newSubscription('news', { token: tokens.forged });
  subscription.on('error', (context) => told.push(context.error.message));
  subscription.on('unsubscribed', (context) => told.push(context.reason));
  subscription.subscribe();
  await until(() => told.length > 0);
  for (const token of [tokens.expired, tokens.forged, tokens.unreadable]) {
    const refused = newClient(server, { token });
    const events = recordClient(refused);
    refused.connect();
    await until(() => events.disconnected.length > 0 || events.error.length > 0);
    told.push(JSON.stringify([events.disconnected, events.error.map(({ error }) => error.message)]));
    refused.disconnect();
  }
  const rude = await rawSocket(server, { headers: { Cookie: `session=${planted.payload}` } });
  rude.send(`{"id":1,"connect":{"token":"${tokens.forged}","data":"${planted.payload}"`);
  const { reason } = await rude.closed;
  return [...told, reason];
}

it('no secret is in the log, the metrics or an error, at the most talkative level', async () => {
  const grpcPort = await freePort();
  const server = await gyre.start({
    config: {
      log: { level: 'trace' },
      http_api: { key: planted.apiKey },
      grpc_api: { enabled: true, address: '127.0.0.1', port: grpcPort, key: planted.grpcKey },
      client: {
        token: { hmac_secret_key: planted.tokenSecret, hmac_previous_secret_key: planted.previousSecret },
        subscription_token: { enabled: true, hmac_secret_key: planted.subscriptionSecret },
      },
      prometheus: { enabled: true },
    },
  });
  const answers = [...(await callHttp(server)), ...(await callGrpc(grpcPort)), ...(await connect(server))];
  expect(answers.some((answer) => answer.startsWith('200'))).toBe(true);
  expect((await api(server, 'info')).status).toBe(200);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('gyre_api_commands_total{protocol="grpc",method="publish"} 3');
  await server.stop();
  expect(server.logs()).toContain('stopped');
  for (const secret of secrets) {
    for (const text of [server.logs(), metrics, ...answers]) expect(text).not.toContain(secret);
  }
});

it('nor where the configuration is refused', async () => {
  const texts: string[] = [];
  for (const args of [
    ['checkconfig', '--http_api.key', planted.apiKey, '--http_api.kay', planted.wrongKey],
    ['checkconfig', '--grpc_api.key', planted.grpcKey, '--client.insecure', '--strict'],
    ['--client.token.hmac_secret_key', `-----BEGIN ${planted.tokenSecret}`],
    ['--grpc_api.enabled', '--grpc_api.tls.enabled', '--grpc_api.tls.key_pem', planted.tokenSecret],
  ]) {
    const { code, output } = await gyre.run(args);
    expect(code, output).not.toBe(0);
    texts.push(output);
  }
  for (const secret of secrets) expect(texts.join('\n')).not.toContain(secret);
});
