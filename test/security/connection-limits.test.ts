import { expect, it } from 'vitest';
import {
  gyre,
  HandshakeRefused,
  jwt,
  rawSocket,
  until,
  type Gyre,
  type RawSocket,
} from '../harness/index.ts';
import { metrics } from '../harness/metrics.ts';

/** [S08] What one server takes on is limited, and who was let in does not notice those that were not. */

/** A connection, or the status that refused it. */
async function attempt(server: Gyre): Promise<RawSocket | number> {
  try {
    return await rawSocket(server);
  } catch (error) {
    if (error instanceof HandshakeRefused) return error.status;
    throw error;
  }
}

const isRefused = (result: RawSocket | number): result is number => typeof result === 'number';

it('connection_limit: one more is refused before the protocol begins, until somebody goes', async () => {
  const server = await gyre.start({
    config: { prometheus: { enabled: true }, client: { insecure: true, connection_limit: 3 } },
  });
  const first = await rawSocket(server);
  const others = await Promise.all([rawSocket(server), rawSocket(server)]);
  expect(await Promise.all([1, 2, 3, 4].map(() => attempt(server)))).toEqual([503, 503, 503, 503]);
  expect((await metrics(server)).get('gyre_node_client_connection_limit')).toBe(4);

  first.send('{"id":1,"connect":{}}');
  expect(await first.next()).toContain('"connect"');
  others[0]?.destroy();
  await until(async () => !isRefused(await attempt(server)));
  expect(await attempt(server)).toBe(503);
});

it('connection_rate_limit: so many a second, and as many at once', async () => {
  const rate = 5;
  const server = await gyre.start({ config: { client: { connection_rate_limit: rate } } });
  const begun = performance.now();
  const results: (RawSocket | number)[] = await Promise.all(
    Array.from({ length: 40 }, () => attempt(server)),
  );
  expect(results.filter((result) => !isRefused(result)).length).toBeGreaterThanOrEqual(rate);
  // Whoever keeps trying is let in at the rate: neither slower, as where only a burst is allowed, nor faster.
  await until(
    async () => {
      results.push(await attempt(server));
      return results.filter((result) => !isRefused(result)).length >= 3 * rate;
    },
    { deadline: 20_000 },
  );
  const seconds = (performance.now() - begun) / 1000;
  const admitted = results.filter((result) => !isRefused(result)).length;
  expect(admitted).toBeLessThanOrEqual(rate + Math.ceil(rate * seconds));
  expect(new Set(results.filter(isRefused))).toEqual(new Set([503]));
});

it('connecting_limit: one more is refused while so many have not said who they are', async () => {
  const server = await gyre.start({ config: { client: { insecure: true, connecting_limit: 2 } } });
  const first = await rawSocket(server);
  await rawSocket(server);
  expect(await attempt(server)).toBe(503);
  first.send('{"id":1,"connect":{}}');
  expect(await first.next()).toContain('"connect"');
  expect(isRefused(await attempt(server))).toBe(false);
  expect(await attempt(server)).toBe(503);
});

it('connection_lag_limit: nobody is taken while the event loop is behind', async () => {
  const server = await gyre.start({ config: { client: { insecure: true, connection_lag_limit: '200ms' } } });
  const first = await rawSocket(server);
  process.kill(server.pid, 'SIGSTOP');
  const begun = performance.now();
  const late = attempt(server);
  await until(() => performance.now() - begun > 1000);
  process.kill(server.pid, 'SIGCONT');
  expect(await late).toBe(503);
  // Who is in already is served as ever.
  first.send('{"id":1,"connect":{}}');
  expect(await first.next()).toContain('"connect"');
  await until(async () => !isRefused(await attempt(server)));
});

it('user_connection_limit: one more of a user is closed with 3504, others are not', async () => {
  const server = await gyre.start({ config: { client: { user_connection_limit: 2 } } });
  const connect = async (sub: string): Promise<RawSocket> => {
    const socket = await rawSocket(server);
    socket.send(JSON.stringify({ id: 1, connect: { token: jwt({ sub }, server.tokenSecret) } }));
    return socket;
  };
  const [one, two] = [await connect('ann'), await connect('ann')];
  expect(await one.next()).toContain('"connect"');
  expect(await two.next()).toContain('"connect"');
  expect(await (await connect('ann')).closed).toEqual({ code: 3504, reason: 'connection limit' });
  expect(await (await connect('bob')).next()).toContain('"connect"');
  one.destroy();
  await until(async () => {
    const socket = await connect('ann');
    const answered = await Promise.race([socket.next().catch(() => ''), socket.closed.then(() => '')]);
    return String(answered).includes('"connect"');
  });
});
