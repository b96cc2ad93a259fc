import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  api,
  connectClient,
  freePort,
  gyre,
  record,
  recordClient,
  teardown,
  until,
  type ClientOptions,
  type Gyre,
} from '../harness/index.ts';
import { startRedis } from '../../packages/redis/src/testing.ts';
import { metrics } from '../harness/metrics.ts';
import { readCompose, type Service } from './compose-file.ts';
import { text } from './files.ts';

/**
 * docker-compose.yml without Docker: each of its services as a process, with the command and the environment that stand
 * there. Only where they listen, and so where they find each other, is changed to free ports of this machine.
 */

const services = readCompose('docker-compose.yml');
const names = Object.keys(services).filter((name) => name.startsWith('gyre-'));
const haproxy = findProgram('haproxy');
/** By service and port of its container, as in `redis:6379`. */
const ports = new Map<string, number>();

let nodes: Gyre[];
/** What the load balancer publishes, to be used like a node. */
let front: Pick<Gyre, 'wsUrl' | 'apiUrl' | 'apiKey' | 'tokenSecret'>;

interface Info {
  readonly nodes: readonly { readonly name: string }[];
}

beforeAll(async () => {
  const places = names.flatMap((name) => [`${name}:8000`, `${name}:9000`]);
  for (const place of [...places, 'balancer:8000', 'balancer:9000']) {
    ports.set(place, await freePort());
  }
  await startService(service('redis'));
  nodes = await Promise.all(names.map((name) => startNode(name, service(name))));
  front = {
    ...nodes[0]!,
    wsUrl: `ws://127.0.0.1:${portOf('balancer:8000')}/connection/websocket`,
    apiUrl: `http://127.0.0.1:${portOf('balancer:9000')}/api`,
  };
  if (haproxy !== undefined) await startBalancer(haproxy);
});

describe('docker compose up', () => {
  it('is one cluster: every node knows all three', async () => {
    for (const node of nodes) {
      const known = async () => (await api<Info>(node, 'info')).result?.nodes.map(({ name }) => name).sort();
      await until(async () => (await known())?.length === names.length, {
        message: `three nodes of ${node.port}`,
      });
      expect(await known()).toEqual(names);
    }
  });

  it('carries what is posted to any node to the subscribers of all, once and in order', async () => {
    const subscribers = await Promise.all(nodes.map((node) => subscribe(node, 'news')));
    const sent = [...Array(30).keys()];
    for (const n of sent) {
      const { error } = await api(nodes[n % nodes.length]!, 'publish', { channel: 'news', data: n });
      expect(error).toBeUndefined();
    }
    for (const { events } of subscribers) {
      await until(() => events.publication.length >= sent.length, { message: 'all publications' });
      expect(events.publication.map(({ data }) => data as unknown)).toEqual(sent);
    }
  });

  it('tells of a client of one node on another, and lets a third one end it', async () => {
    const { client } = await subscribe(nodes[0]!, 'room');
    const seen = async () => {
      const { result } = await api<{ presence: object }>(nodes[1]!, 'presence', { channel: 'room' });
      return Object.keys(result?.presence ?? {}).length === 1;
    };
    await until(seen, { message: 'presence on another node' });
    await api(nodes[2]!, 'disconnect', { user: 'of-room' });
    const ended = () => client.state === 'disconnected';
    expect(await until(ended, { message: 'the end of the client' })).toBe(true);
  });
});

describe.skipIf(haproxy === undefined)('behind the load balancer', () => {
  it('nodes get the same number of clients', async () => {
    await until(async () => (await clientsByNode()).every((count) => count === 0), { message: 'no clients' });
    for (const user of names) await connectClient(front, { user });
    const spread = async () => (await clientsByNode()).every((count) => count === 1);
    expect(await until(spread, { message: 'a client on each node' })).toBe(true);
  });

  it('clients of a node that ends go on at another, and miss nothing', async () => {
    await until(async () => (await clientsByNode()).every((count) => count === 0), { message: 'no clients' });
    // Away for long enough to miss something.
    const away = { minReconnectDelay: 500, maxReconnectDelay: 1000 };
    const { connection, events } = await subscribe(front, 'alive', away);
    const at = (await clientsByNode()).indexOf(1);
    const others = nodes.filter((node) => node !== nodes[at]);
    const publish = (n: number) => api(others[n % others.length]!, 'publish', { channel: 'alive', data: n });

    for (const n of [0, 1, 2]) await publish(n);
    const ended = nodes[at]!.stop();
    await until(() => connection.connecting.length > 0, { message: 'the end of the connection' });
    expect(connection.connecting[0]).toMatchObject({ code: 3001 });
    for (const n of [3, 4, 5]) await publish(n);

    await until(() => events.publication.length >= 6, { message: 'what was missed' });
    expect(events.publication.map(({ data }) => data as unknown)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(events.subscribed.at(-1)).toMatchObject({ wasRecovering: true, recovered: true });
    expect((await ended).code).toBe(0);
    expect((await api(front, 'info')).status).toBe(200);
    nodes = others;
  });

  it('a node is restarted under load: nobody misses anything, and no handshake and no call fails', async () => {
    const away = { minReconnectDelay: 50, maxReconnectDelay: 500 };
    const subscribers = await Promise.all(Array.from({ length: 99 }, () => subscribe(front, 'busy', away)));
    let sent = 0;
    let over = false;
    const publishing = (async () => {
      for (; !over; sent++) {
        const { status, error } = await api(front, 'publish', { channel: 'busy', data: sent });
        expect([status, error]).toEqual([200, undefined]);
      }
    })();

    const [node] = nodes as [Gyre, ...Gyre[]];
    const name = names.find((each) => portOf(`${each}:8000`) === node.port)!;
    expect((await node.stop()).code).toBe(0);
    const again = await startNode(name, service(name));
    await until(async () => (await fetch(`${again.internalUrl}/ready`)).ok, { message: 'a node again' });
    over = true;
    await publishing;

    const all = [...Array(sent).keys()];
    for (const { connection, events } of subscribers) {
      await until(() => events.publication.length >= sent, { message: 'all publications' });
      expect(events.publication.map(({ data }) => data as unknown)).toEqual(all);
      expect(connection.error).toEqual([]);
      expect(connection.connecting.slice(1).every(({ code }) => code === 3001)).toBe(true);
    }
    const moved = subscribers.filter(({ connection }) => connection.connecting.length > 0);
    expect(moved.length).toBeGreaterThan(0);
    for (const { client } of subscribers) client.disconnect();
  });
});

async function subscribe(
  server: Pick<Gyre, 'wsUrl' | 'tokenSecret'>,
  channel: string,
  options: ClientOptions = {},
) {
  const client = await connectClient(server, { user: `of-${channel}`, ...options });
  const connection = recordClient(client);
  const subscription = client.newSubscription(channel);
  const events = record(subscription);
  subscription.subscribe();
  await subscription.ready();
  return { client, connection, events };
}

function clientsByNode(): Promise<number[]> {
  return Promise.all(nodes.map(async (node) => (await metrics(node)).get('gyre_node_num_clients') ?? NaN));
}

function service(name: string): Service {
  const found = services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

function portOf(place: string): number {
  const port = ports.get(place);
  if (port === undefined) throw new Error(`nobody listens at ${place}`);
  return port;
}

/** A text with the places of the compose network replaced by those of this machine. */
function relocate(value: string): string {
  return value.replaceAll(/\b[a-z][a-z0-9-]*:\d+\b/g, (place) =>
    ports.has(place) ? `127.0.0.1:${portOf(place)}` : place,
  );
}

function startNode(name: string, { environment = {} }: Service): Promise<Gyre> {
  const internal = String(portOf(`${name}:9000`));
  const env = Object.entries(environment).map(([variable, value]) => [variable, relocate(value)]);
  return gyre.start({
    port: portOf(`${name}:8000`),
    // For the harness, which has to know; the server is told by its environment, and that wins.
    config: {
      http_server: { internal_port: internal },
      http_api: { key: environment['GYRE_HTTP_API_KEY'] },
      client: { token: { hmac_secret_key: environment['GYRE_CLIENT_TOKEN_HMAC_SECRET_KEY'] } },
    },
    env: {
      ...Object.fromEntries(env),
      GYRE_HTTP_SERVER_ADDRESS: '127.0.0.1',
      GYRE_HTTP_SERVER_PORT: String(portOf(`${name}:8000`)),
      GYRE_HTTP_SERVER_INTERNAL_PORT: internal,
    },
  });
}

async function startService({ command = [] }: Service): Promise<void> {
  const [, ...args] = command;
  const redis = await startRedis(args);
  teardown(() => redis.close());
  ports.set('redis:6379', redis.port);
}

/** The file of the compose service. HAProxy is told the port of each node's probe: here they differ. */
async function startBalancer(program: string): Promise<void> {
  const config = text('deploy/haproxy/haproxy.cfg')
    .replaceAll(/^ {4}bind :(\d+)/gm, (_, port: string) => `    bind 127.0.0.1:${portOf(`balancer:${port}`)}`)
    .replaceAll(/server (gyre-\d) .*/g, (line, name: string) => `${line} port ${portOf(`${name}:9000`)}`)
    .replace(/maxconn \d+/, 'maxconn 500');
  const log = start(program, (dir) => {
    writeFileSync(join(dir, 'haproxy.cfg'), relocate(config));
    return ['-db', '-f', join(dir, 'haproxy.cfg')];
  });
  // Without a handshake: 400 of a node, or 503 of HAProxy where no node is ready.
  const url = front.wsUrl.replace('ws:', 'http:');
  const serves = () =>
    fetch(url).then(
      ({ status }) => status === 400,
      () => false,
    );
  await until(serves, { message: () => `HAProxy to serve; it wrote:\n${log()}` });
}

/** Starts a program in a folder of its own, ended with the file. Gives what it has written so far. */
function start(program: string, args: (folder: string) => readonly string[]): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'gyre-compose-'));
  const child = spawn(program, args(folder), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let written = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  }
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  });
  return () => written;
}

/** The path of a program, where there is one. */
function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
