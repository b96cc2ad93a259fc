import { expect, it } from 'vitest';
import { canary } from '../fuzz/canary.ts';
import { Peer } from '../fuzz/peer.ts';
import { api, gyre, jwt } from '../harness/index.ts';

/** [S12] A pattern is work that a caller makes the server do: it stays in proportion, and others have their turn. */

const channels = 20_000;

/** What an engine that goes back and tries again never comes to an end with. */
const bombs = [
  `${'*a'.repeat(98)}[!a]`,
  `${'*'.repeat(250)}[!a]`,
  `${'{a,*a}'.repeat(40)}b`,
  `${'?*'.repeat(120)}[!a]`,
];

it(`patterns that would explode are answered over ${channels} channels, and nobody waits for it`, async () => {
  const server = await gyre.start({
    config: {
      // The subscriber answers no pings.
      client: { channel_limit: channels, ping_interval: '1h' },
      channel: {
        without_namespace: { allow_subscribe_for_client: true },
        namespaces: [{ name: 'canary', allow_subscribe_for_client: true }],
      },
    },
  });
  const peer = new Peer(server, 'json');
  peer.handshake();
  await peer.answered();
  const send = (...commands: object[]): void =>
    peer.send(Buffer.from(commands.map((command) => JSON.stringify(command)).join('\n')));
  send({ id: 1, connect: { token: jwt({ sub: '42' }, server.tokenSecret) } });
  for (let n = 0; n < channels; n += 400) {
    const ids = Array.from({ length: 400 }, (_, i) => n + i + 2);
    send(...ids.map((id) => ({ id, subscribe: { channel: 'a'.repeat(60) + id } })));
    await peer.until(() => peer.messages.length >= n + 401);
  }
  expect(peer.messages.filter(({ error }) => error !== undefined)).toEqual([]);

  const bird = await canary(server);
  for (const pattern of bombs) {
    const { status, result } = await api<{ channels: object }>(server, 'channels', { pattern });
    expect(status).toBe(200);
    expect(Object.keys(result?.channels ?? {}).length).toBeLessThanOrEqual(channels + 1);
  }
  const some = await api<{ channels: object }>(server, 'channels', { pattern: '*a[0-9]' });
  // Ids 2 to 9.
  expect(Object.keys(some.result?.channels ?? {})).toHaveLength(8);
  expect((await api(server, 'channels', { pattern: '*a'.repeat(200) })).error?.code).toBe(107);
  const { slowestMs } = await bird.verify();
  console.log(`glob: slowest publication beside it ${Math.round(slowestMs)} ms`);
  peer.leave();
});
