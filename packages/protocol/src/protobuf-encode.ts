import type { ClientError } from './errors.ts';
import type {
  Bytes,
  ClientInfo,
  ConnectResult,
  HistoryResult,
  PresenceResult,
  Publication,
  Push,
  Reply,
  Results,
  SubscribeResult,
} from './messages.ts';
import { Writer } from './protobuf-wire.ts';

/**
 * Writes replies and pushes as they are in `proto/client.proto`. The writer works backwards, so in every function here
 * the fields stand in falling order, and lists are walked from their end.
 */

const w = new Writer();

/** Numbers in `Reply`. */
const ID = 1;
const ERROR = 2;
const PUSH = 4;
const resultFields: { readonly [M in keyof Results]: number } = {
  connect: 5,
  subscribe: 6,
  unsubscribe: 7,
  publish: 8,
  presence: 9,
  presence_stats: 10,
  history: 11,
  rpc: 13,
  refresh: 14,
  sub_refresh: 15,
};

/** Numbers in `Push`. */
const CHANNEL = 2;
const pushFields = {
  pub: 4,
  join: 5,
  leave: 6,
  unsubscribe: 7,
  message: 8,
  subscribe: 9,
  disconnect: 11,
  refresh: 12,
} as const satisfies { readonly [T in Push['type']]: number };

/** The result of a command, framed. */
export function encodeReply(reply: Reply): Bytes {
  w.begin();
  writeResult(reply);
  w.message(resultFields[reply.method], 0);
  w.uint(ID, reply.id);
  return w.finish();
}

/** The refusal of a command, framed. */
export function encodeError(id: number, error: ClientError): Bytes {
  w.begin();
  w.bool(3, error.temporary);
  w.string(2, error.message);
  w.uint(1, error.code);
  w.message(ERROR, 0);
  w.uint(ID, id);
  return w.finish();
}

/** A publication for the subscribers of a channel, framed. */
export function encodePublication(channel: string, publication: Publication): Bytes {
  w.begin();
  writePublication(publication);
  w.message(pushFields.pub, 0);
  w.string(CHANNEL, channel);
  w.message(PUSH, 0);
  return w.finish();
}

/** Any push, framed. */
export function encodePush(push: Push): Bytes {
  w.begin();
  writePush(push);
  w.message(pushFields[push.type], 0);
  if ('channel' in push) w.string(CHANNEL, push.channel);
  w.message(PUSH, 0);
  return w.finish();
}

function writeResult(reply: Reply): void {
  switch (reply.method) {
    case 'connect':
      return writeConnect(reply.result);
    case 'subscribe':
      return writeSubscribe(reply.result);
    case 'presence':
      return writePresence(reply.result);
    case 'presence_stats':
      w.uint(2, reply.result.numUsers);
      return w.uint(1, reply.result.numClients);
    case 'history':
      return writeHistory(reply.result);
    case 'rpc':
      return w.bytes(1, reply.result.data);
    case 'refresh':
      w.uint(4, reply.result.ttl);
      return w.bool(3, reply.result.expires);
    case 'sub_refresh':
      w.uint(2, reply.result.ttl);
      return w.bool(1, reply.result.expires);
    case 'unsubscribe':
    case 'publish':
  }
}

function writeConnect(result: ConnectResult): void {
  w.uint(11, result.time);
  w.string(10, result.node);
  w.string(9, result.session);
  w.bool(8, result.pong);
  w.uint(7, result.ping);
  for (const [channel, sub] of Object.entries(result.subs ?? {})) {
    const end = w.size;
    writeSubscribe(sub);
    w.message(2, end);
    w.string(1, channel);
    w.message(6, end);
  }
  w.bytes(5, result.data);
  w.uint(4, result.ttl);
  w.bool(3, result.expires);
  w.string(2, result.version);
  w.string(1, result.client);
}

function writeSubscribe(result: SubscribeResult): void {
  w.bool(13, result.delta);
  w.bool(12, result.wasRecovering);
  w.bytes(11, result.data);
  w.bool(10, result.positioned);
  w.uint(9, result.offset);
  w.bool(8, result.recovered);
  if (result.publications !== undefined) writePublications(7, result.publications);
  w.string(6, result.epoch);
  w.bool(3, result.recoverable);
  w.uint(2, result.ttl);
  w.bool(1, result.expires);
}

function writeHistory(result: HistoryResult): void {
  w.uint(3, result.offset);
  w.string(2, result.epoch);
  writePublications(1, result.publications);
}

function writePresence(result: PresenceResult): void {
  for (const [client, info] of result.presence) {
    const end = w.size;
    writeInfo(info);
    w.message(2, end);
    w.string(1, client);
    w.message(1, end);
  }
}

function writePublications(field: number, publications: readonly Publication[]): void {
  for (let i = publications.length - 1; i >= 0; i--) {
    const publication = publications[i];
    if (publication === undefined) continue;
    const end = w.size;
    writePublication(publication);
    w.message(field, end);
  }
}

function writePublication(publication: Publication): void {
  w.uint(16, publication.version);
  w.string(14, publication.epoch);
  w.bool(8, publication.delta);
  if (publication.tags !== undefined) {
    for (const [key, value] of Object.entries(publication.tags)) {
      const end = w.size;
      w.string(2, value);
      w.string(1, key);
      w.message(7, end);
    }
  }
  w.uint(6, publication.offset);
  if (publication.info !== undefined) {
    const end = w.size;
    writeInfo(publication.info);
    w.message(5, end);
  }
  w.bytes(4, publication.data);
}

function writeInfo(info: ClientInfo): void {
  w.bytes(4, info.chanInfo);
  w.bytes(3, info.connInfo);
  w.string(2, info.client);
  w.string(1, info.user);
}

function writePush(push: Push): void {
  switch (push.type) {
    case 'pub':
      return writePublication(push.pub);
    case 'join':
    case 'leave':
      writeInfo(push.info);
      return w.message(1, 0);
    case 'unsubscribe':
      w.string(3, push.reason);
      return w.uint(2, push.code);
    case 'subscribe':
      w.bytes(7, push.data);
      w.bool(6, push.positioned);
      w.uint(5, push.offset);
      w.string(4, push.epoch);
      return w.bool(1, push.recoverable);
    case 'message':
      return w.bytes(1, push.data);
    case 'disconnect':
      w.string(2, push.reason);
      return w.uint(1, push.code);
    case 'refresh':
      w.uint(2, push.ttl);
      return w.bool(1, push.expires);
  }
}
