import { expect } from 'vitest';
import { opcodes } from '../harness/frames.ts';
import { commandBytes } from './messages.ts';
import { Peer, type Reply, type Wire } from './peer.ts';
import type { Case } from './stage.ts';

/** Sends frames over one connection, and checks that the server goes on with it in order, or ends it. */
export async function session({ server, random }: Case, wire: Wire, frames: readonly Frame[]): Promise<void> {
  const peer = new Peer(server, wire);
  peer.handshake();
  expect(await peer.answered()).toBe(101);
  for (const { bytes } of frames) {
    const strange = wire === 'json' ? opcodes.binary : opcodes.text;
    if (random.oneIn(30)) peer.send(bytes, strange);
    else peer.send(bytes);
  }
  // What is under way when its connection goes has to end as well.
  if (random.oneIn(3)) {
    peer.leave(random.oneIn(2));
    return;
  }
  const answered = (reply: Reply): boolean => reply.id === lastId;
  peer.send(last[wire]);
  const ending = await peer.until(() => peer.messages.some(answered));
  if (ending === undefined && frames.every(({ ids }) => ids !== undefined)) {
    const replies = peer.messages.flatMap(({ id }) => (id === undefined || id === lastId ? [] : [id]));
    expect(replies).toEqual(frames.flatMap(({ ids }) => ids));
  }
  peer.leave(random.oneIn(2));
}

/** A frame, and the ids of its commands where each is to be answered, or to end the connection. */
export interface Frame {
  readonly bytes: Uint8Array;
  readonly ids?: readonly number[];
}

const lastId = 4_000_000_000;

/** Nothing to do, but to be answered when all before it is. */
const last: Readonly<Record<Wire, Uint8Array>> = {
  json: Buffer.from(`{"id":${lastId},"unsubscribe":{"channel":"last"}}`),
  protobuf: commandBytes({ id: lastId, unsubscribe: { channel: 'last' } }),
};
