import { expect, test } from 'vitest';
import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { opcodes } from '../harness/frames.ts';
import { mutate } from './mutate.ts';
import { Peer, type Wire } from './peer.ts';
import { rawFrames } from './raw-frames.ts';
import { fuzz, testTimeout, type Case } from './stage.ts';

/** Statuses that a handshake may be answered with; 0 is a cut connection. */
const statuses = [0, 101, 400, 403, 404, 405, 426, 431, 501, 505];

const oddHeaders = [
  'Sec-WebSocket-Protocol: centrifuge-json',
  'Sec-WebSocket-Protocol: centrifuge-protobuf',
  'Sec-WebSocket-Protocol: , ,\u00ff, centrifuge-nothing,',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99; server_no_context_takeover',
  'Sec-WebSocket-Version: 7',
  'Sec-WebSocket-Key: short',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Origin: https://app.example',
  'Origin: https://app.example.evil',
  `Cookie: ${'c'.repeat(3000)}`,
  `X-Large: ${'c'.repeat(20_000)}`,
  'no colon',
  ': no name',
  'X-Folded: a\r\n b',
];

const connectCommands: Record<Wire, Buffer> = {
  json: Buffer.from('{"id":1,"connect":{}}'),
  protobuf: Buffer.from([0x04, 0x08, 0x01, 0x22, 0x00]),
};

async function handshakes({ server, random }: Case): Promise<void> {
  const peer = new Peer(server, 'json');
  const target = random.pick([
    '/connection/websocket',
    '/connection/websocket?cf_protocol=protobuf&cf_protocol=json',
    `/connection/websocket?${encodeURIComponent(random.text())}`,
    '/connection/websocket/../websocket',
    '/%00',
    '*',
  ]);
  const headers = Array.from({ length: random.int(4) }, () => random.pick(oddHeaders));
  peer.handshake({ target, headers });
  // What remains of a request that ended before it should is no answer to wait for: another one comes behind.
  peer.write(Buffer.from('\r\n\r\n\r\n\r\n'));
  if (!random.oneIn(3)) expect(statuses).toContain(await peer.answered());
  peer.leave(random.oneIn(2));
}

async function frames({ server, random }: Case): Promise<void> {
  const peer = new Peer(server, random.pick(['json', 'protobuf'] as const));
  peer.handshake();
  // No client may send before the handshake is answered: what is sent all the same may be lost.
  let whole = !random.oneIn(4);
  if (whole) expect(await peer.answered()).toBe(101);
  if (!random.oneIn(3)) peer.send(connectCommands[peer.wire]);
  for (let n = random.int(8); n >= 0 && !peer.ended; n--) {
    const frame = rawFrames(random);
    if (frame.closes) peer.closedBy = 'peer';
    whole = send(peer, random, frame.bytes) && frame.whole && whole;
  }
  // A ping may stand anywhere, even between the pieces of a message: it is answered, or the connection has ended.
  if (whole && !random.oneIn(3)) {
    const before = peer.pongs;
    peer.send(Buffer.from('still there?'), opcodes.ping);
    await peer.until(() => peer.pongs > before);
  }
  peer.leave(random.oneIn(2));
}

/** Whole, in two packets, mutated, or not to the end. @returns the server got the bytes as they are */
function send(peer: Peer, random: Random, bytes: Buffer): boolean {
  const cut = random.int(bytes.length + 1);
  switch (random.int(6)) {
    case 0:
      peer.write(bytes.subarray(0, cut));
      peer.write(bytes.subarray(cut));
      return true;
    case 1:
      // There may be a close frame in it.
      peer.closedBy = 'peer';
      peer.write(mutate(random, bytes));
      return false;
    case 2:
      peer.closedBy = 'peer';
      peer.write(bytes.subarray(0, cut));
      return false;
    default:
      peer.write(bytes);
      return true;
  }
}

test('bytes and frames of a WebSocket that are none', { timeout: testTimeout }, async () => {
  const cases = await fuzz('websocket', (one) => (one.random.oneIn(10) ? handshakes(one) : frames(one)));
  expect(cases).toBeGreaterThan(100);
});
