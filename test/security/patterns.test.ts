import { expect, it } from 'vitest';
import { api, connectClient, gyre, jwt, rawSocket, within } from '../harness/index.ts';

/** [S13] Patterns of the configuration meet text of clients: no pattern, however it is made, may stall the server. */

/** Takes a backtracking engine longer than anybody will live. */
const evil = '^(a+)+$';
const text = `${'a'.repeat(250)}!`;

it('a pattern that would explode answers at once, and says no', async () => {
  const server = await gyre.start({
    config: {
      client: { token: { issuer_regex: evil, audience_regex: evil } },
      channel: { without_namespace: { allow_subscribe_for_client: true, channel_regex: evil } },
    },
  });
  const claims = { iss: 'a', aud: 'aa', sub: '42' };
  const client = await connectClient(server, { claims });
  await expect(subscribe(text)).resolves.toBe(107);
  await expect(subscribe('a'.repeat(250))).resolves.toBe(0);
  for (const forged of [{ iss: text }, { aud: [text, text] }]) {
    const socket = await rawSocket(server);
    const token = jwt({ ...claims, ...forged }, server.tokenSecret);
    socket.send(JSON.stringify({ id: 1, connect: { token } }));
    expect(await within(socket.closed, 10_000, 'close')).toMatchObject({ code: 3500 });
  }
  expect((await api(server, 'info')).status).toBe(200);

  function subscribe(channel: string): Promise<number> {
    const subscription = client.newSubscription(channel);
    return new Promise((resolve) => {
      subscription.on('subscribed', () => resolve(0));
      subscription.on('unsubscribed', ({ code }) => resolve(code));
      subscription.subscribe();
    });
  }
});

it('Go syntax is understood, and what it does not have ends the start', async () => {
  const regex = (channel_regex: string) => ['--channel.without_namespace.channel_regex', channel_regex];
  const check = async (pattern: string) => (await gyre.run(['checkconfig', ...regex(pattern)])).output;
  expect(await check('(?i)^(?P<room>[[:alpha:]]+)\\z')).toContain('can be served');
  expect(await check('(?=a)b')).toContain('channel.without_namespace.channel_regex');
  expect(await check('(a)\\1')).toContain('not a regular expression');
});
