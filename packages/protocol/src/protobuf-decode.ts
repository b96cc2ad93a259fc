import { DecodeError } from './codec.ts';
import { MAX_FILTER_DEPTH } from './filter.ts';
import type {
  Bytes,
  Command,
  ConnectRequest,
  FilterNode,
  HistoryRequest,
  Method,
  PublishRequest,
  RefreshRequest,
  Requests,
  RpcRequest,
  SendRequest,
  StreamPosition,
  SubRefreshRequest,
  SubscribeRequest,
} from './messages.ts';
import { newSubscribeRequest, type Draft } from './requests.ts';
import { Reader } from './protobuf-wire.ts';

/**
 * Reads commands as they are in `proto/client.proto`. Fields that this server does not know or does not serve are passed
 * over. Where a field comes twice the last one counts, messages included: they are not merged.
 */

const noBytes: Bytes = Buffer.alloc(0);

/** Numbers of fields of `Command` that are no requests. */
const ID = 1;
const PING = 11;

/** The requests in the order in which they count, where a command has several. */
const requests: readonly {
  readonly field: number;
  readonly method: Method;
  readonly read: (r: Reader) => Requests[Method];
}[] = [
  { field: 4, method: 'connect', read: readConnect },
  { field: 5, method: 'subscribe', read: readSubscribe },
  { field: 6, method: 'unsubscribe', read: readChannel },
  { field: 7, method: 'publish', read: readPublish },
  { field: 8, method: 'presence', read: readChannel },
  { field: 9, method: 'presence_stats', read: readChannel },
  { field: 10, method: 'history', read: readHistory },
  { field: 13, method: 'rpc', read: readRpc },
  { field: 12, method: 'send', read: readSend },
  { field: 14, method: 'refresh', read: readRefresh },
  { field: 15, method: 'sub_refresh', read: readSubRefresh },
];

/** Place in `requests` by field number. */
const ranks: readonly (number | undefined)[] = Array.from({ length: 16 }, (_, field) => {
  const rank = requests.findIndex((row) => row.field === field);
  return rank < 0 ? undefined : rank;
});

const pong: Command = Object.freeze({ method: 'pong', id: 0 });

/**
 * Reads a frame of commands, each with its length in front.
 * @throws DecodeError where any part of it is not a command, and for an empty frame
 */
export function decodeFrame(frame: Bytes): Command[] {
  if (frame.length === 0) throw new DecodeError('empty frame');
  const r = new Reader(frame);
  const commands: Command[] = [];
  while (r.more) {
    const outer = r.enterFramed();
    commands.push(readCommand(r));
    r.leave(outer);
  }
  return commands;
}

function readCommand(r: Reader): Command {
  let id = 0;
  let best = requests.length;
  let request: Requests[Method] | undefined;
  while (r.next()) {
    if (r.field === ID) {
      id = r.uint32();
      continue;
    }
    if (r.field === PING) throw new DecodeError('ping from a client');
    const rank = ranks[r.field];
    const row = rank === undefined ? undefined : requests[rank];
    if (rank === undefined || row === undefined || rank > best) {
      r.skip();
      continue;
    }
    best = rank;
    request = readMessage(r, row.read);
  }
  const method = requests[best]?.method;
  if (method === undefined) {
    if (id !== 0) throw new DecodeError('command without a request');
    return pong;
  }
  if (id === 0 && method !== 'send') throw new DecodeError(`${method} without an id`);
  return { method, id, request } as Command;
}

function readMessage<T>(r: Reader, read: (r: Reader) => T): T {
  const outer = r.enter();
  const value = read(r);
  r.leave(outer);
  return value;
}

/** Reads an entry of a map into it; `absent` is the value of an entry that has none. */
function readEntry<T>(r: Reader, map: Record<string, T>, absent: T, read: (r: Reader) => T): void {
  const outer = r.enter();
  let key = '';
  let value = absent;
  while (r.next()) {
    if (r.field === 1) key = r.string();
    else if (r.field === 2) value = read(r);
    else r.skip();
  }
  map[key] = value;
  r.leave(outer);
}

/** A map without a prototype, because clients choose its keys. */
function emptyMap<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function readPayload(r: Reader, request: { data?: Bytes }): void {
  const data = r.bytes();
  if (data.length > 0) request.data = data;
}

function readConnect(r: Reader): ConnectRequest {
  const request: Draft<ConnectRequest> = { token: '', name: '', version: '' };
  const subs = emptyMap<SubscribeRequest>();
  const headers = emptyMap<string>();
  while (r.next()) {
    switch (r.field) {
      case 1:
        request.token = r.string();
        break;
      case 2:
        readPayload(r, request);
        break;
      case 3:
        readEntry(r, subs, newSubscribeRequest(), (entry) => readMessage(entry, readSubscribe));
        request.subs = subs;
        break;
      case 4:
        request.name = r.string();
        break;
      case 5:
        request.version = r.string();
        break;
      case 6:
        readEntry(r, headers, '', (entry) => entry.string());
        request.headers = headers;
        break;
      default:
        r.skip();
    }
  }
  return request;
}

function readSubscribe(r: Reader): SubscribeRequest {
  const request = newSubscribeRequest();
  while (r.next()) {
    switch (r.field) {
      case 1:
        request.channel = r.string();
        break;
      case 2:
        request.token = r.string();
        break;
      case 3:
        request.recover = r.bool();
        break;
      case 6:
        request.epoch = r.string();
        break;
      case 7:
        request.offset = r.uint64();
        break;
      case 8:
        readPayload(r, request);
        break;
      case 9:
        request.positioned = r.bool();
        break;
      case 10:
        request.recoverable = r.bool();
        break;
      case 11:
        request.joinLeave = r.bool();
        break;
      case 12:
        request.delta = r.string();
        break;
      case 13:
        request.tf = readMessage(r, readFilter);
        break;
      case 14:
        // 64 bits on the wire; the flags that there are lie in the lowest ones.
        request.flag = r.uint32();
        break;
      case 15:
        request.type = r.int32();
        break;
      default:
        r.skip();
    }
  }
  return request;
}

function readFilter(r: Reader, depth = 1): FilterNode {
  if (depth > MAX_FILTER_DEPTH) throw new DecodeError('filter too deep');
  const node: Draft<FilterNode> = {};
  const vals: string[] = [];
  const nodes: FilterNode[] = [];
  while (r.next()) {
    switch (r.field) {
      case 1:
        node.op = r.string();
        break;
      case 2:
        node.key = r.string();
        break;
      case 3:
        node.cmp = r.string();
        break;
      case 4:
        node.val = r.string();
        break;
      case 5:
        vals.push(r.string());
        node.vals = vals;
        break;
      case 6:
        nodes.push(readMessage(r, (child) => readFilter(child, depth + 1)));
        node.nodes = nodes;
        break;
      default:
        r.skip();
    }
  }
  return node;
}

/** Unsubscribe, presence and presence stats ask the same: a channel. */
function readChannel(r: Reader): { channel: string } {
  const request = { channel: '' };
  while (r.next()) {
    if (r.field === 1) request.channel = r.string();
    else r.skip();
  }
  return request;
}

function readPublish(r: Reader): PublishRequest {
  const request: Draft<PublishRequest> = { channel: '', data: noBytes, type: 0 };
  while (r.next()) {
    if (r.field === 1) request.channel = r.string();
    else if (r.field === 2) request.data = r.bytes();
    else if (r.field === 3) request.type = r.int32();
    else r.skip();
  }
  return request;
}

function readHistory(r: Reader): HistoryRequest {
  const request: Draft<HistoryRequest> = { channel: '', limit: 0, reverse: false };
  while (r.next()) {
    if (r.field === 1) request.channel = r.string();
    else if (r.field === 7) request.limit = r.int32();
    else if (r.field === 8) request.since = readMessage(r, readPosition);
    else if (r.field === 9) request.reverse = r.bool();
    else r.skip();
  }
  return request;
}

function readPosition(r: Reader): StreamPosition {
  const position = { offset: 0, epoch: '' };
  while (r.next()) {
    if (r.field === 1) position.offset = r.uint64();
    else if (r.field === 2) position.epoch = r.string();
    else r.skip();
  }
  return position;
}

function readRpc(r: Reader): RpcRequest {
  const request: Draft<RpcRequest> = { method: '' };
  while (r.next()) {
    if (r.field === 1) readPayload(r, request);
    else if (r.field === 2) request.method = r.string();
    else r.skip();
  }
  return request;
}

function readSend(r: Reader): SendRequest {
  const request: Draft<SendRequest> = {};
  while (r.next()) {
    if (r.field === 1) readPayload(r, request);
    else r.skip();
  }
  return request;
}

function readRefresh(r: Reader): RefreshRequest {
  const request = { token: '' };
  while (r.next()) {
    if (r.field === 1) request.token = r.string();
    else r.skip();
  }
  return request;
}

function readSubRefresh(r: Reader): SubRefreshRequest {
  const request: Draft<SubRefreshRequest> = { channel: '', token: '', type: 0 };
  while (r.next()) {
    if (r.field === 1) request.channel = r.string();
    else if (r.field === 2) request.token = r.string();
    else if (r.field === 3) request.type = r.int32();
    else r.skip();
  }
  return request;
}
