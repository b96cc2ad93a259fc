import { expect, test } from 'vitest';
import { jwt } from '../harness/index.ts';
import type { Command } from './commands.ts';
import { HttpPeer, type HttpAnswer } from './http-peer.ts';
import { httpRequest } from './http-text.ts';
import { commandBytes } from './messages.ts';
import { Peer } from './peer.ts';
import { fuzz, testTimeout, type Case } from './stage.ts';

/** What the server itself answers, and what uWebSockets does before it is asked. */
const statuses = [200, 400, 401, 404, 405, 413, 431, 505];

/** Every body in JSON is JSON, one value a line. */
function checkAnswer({ status, headers, body }: HttpAnswer): void {
  expect(statuses, body).toContain(status);
  if (headers.get('content-type') !== 'application/json') return;
  for (const line of body.split('\n')) JSON.parse(line);
}

/** Somebody whom calls may be about: subscribed, in one wire or the other. */
async function bystander({ server, random }: Case): Promise<Peer> {
  const peer = new Peer(server, random.pick(['json', 'protobuf'] as const));
  peer.closedBy = 'api';
  peer.handshake();
  await peer.answered();
  const user = random.pick(['', '42', '43']);
  const commands: Command[] = [
    { id: 1, connect: { token: jwt({ sub: user, channels: ['cache:a'] }, server.tokenSecret) } },
    ...['a', 'b', 'delta:a'].map((channel, n) => ({ id: n + 2, subscribe: { channel, delta: 'fossil' } })),
  ];
  for (const command of commands) {
    peer.send(peer.wire === 'json' ? Buffer.from(JSON.stringify(command)) : commandBytes(command));
  }
  // Another call may have ended it by now.
  await peer.until(() => peer.messages.some(({ id }) => id === commands.length));
  return peer;
}

async function oneConnection({ server, random }: Case): Promise<void> {
  const about = random.oneIn(6) ? await bystander({ server, random }) : undefined;
  const peer = new HttpPeer(server);
  const requests = Array.from({ length: random.oneIn(3) ? 1 + random.int(6) : 1 }, () =>
    httpRequest(random, server.apiKey),
  );
  const bytes = Buffer.concat(requests.map((request) => request.bytes));
  const leaves = random.oneIn(4);
  if (leaves) peer.write(bytes.subarray(0, random.int(bytes.length + 1)));
  else if (random.oneIn(4)) {
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.int(bytes.length);
      peer.write(bytes.subarray(at, at + size));
      at += size;
    }
  } else peer.write(bytes);
  // Requests behind one another may be refused by closing, but not be left unanswered.
  if (!leaves && requests.every(({ sound }) => sound)) await peer.until(requests.length);
  else if (random.oneIn(2)) await new Promise((resolve) => setImmediate(resolve));
  peer.leave(random.oneIn(2));
  about?.leave();
  peer.answers.forEach(checkAnswer);
}

test('requests of the server API', { timeout: testTimeout }, async () => {
  expect(await fuzz('http', oneConnection)).toBeGreaterThan(100);
});
