import { DecodeError } from './codec.ts';
import { MAX_FILTER_DEPTH } from './filter.ts';
import {
  isNull,
  readBoolean,
  readFields,
  readInteger,
  readItems,
  readString,
  skipSpace,
  skipValue,
} from './json-scan.ts';
import type {
  Bytes,
  Command,
  ConnectRequest,
  FilterNode,
  HistoryRequest,
  Method,
  PublishRequest,
  Requests,
  RpcRequest,
  StreamPosition,
  SubRefreshRequest,
  SubscribeRequest,
} from './messages.ts';
import { newSubscribeRequest, type Draft } from './requests.ts';

/** What stands where a field may be left out: given to a reader, it is the field not sent. */
const EMPTY: Bytes = new Uint8Array(0);

/**
 * Reads one kind of value: validates it, hands it over, and gives the position after it. `null` is a field not sent.
 */
type Read<T> = (text: Buffer, start: number, set: (value: T) => void) => number;

function reader<T>(read: (text: Buffer, start: number, end: number) => T): Read<T> {
  return (text, start, set) => {
    const end = skipValue(text, start);
    if (!isNull(text, start)) set(read(text, start, end));
    return end;
  };
}

const string = reader(readString);
const integer = reader(readInteger);
const boolean = reader(readBoolean);
/** A payload, copied out of the frame. */
const payload = reader<Bytes>((text, start, end) => Buffer.from(text.subarray(start, end)));

const unsigned: Read<number> = (text, start, set) =>
  integer(text, start, (value) => {
    if (value < 0) throw new DecodeError('negative number where none can be');
    set(value);
  });

/** Reads an object by a table of its fields; unknown ones are passed over. */
function fields<T extends object>(
  text: Buffer,
  start: number,
  target: T,
  table: Readonly<Record<string, (text: Buffer, start: number, target: T) => number>>,
): number {
  if (isNull(text, start)) return skipValue(text, start);
  return readFields(text, start, (key, at) => {
    const read = Object.hasOwn(table, key) ? table[key] : undefined;
    return read === undefined ? skipValue(text, at, 1) : read(text, at, target);
  });
}

type FieldTable<T> = Readonly<Record<string, (text: Buffer, start: number, target: Draft<T>) => number>>;

/** A map from string keys; built without a prototype, so that no key is special. */
function mapOf<V>(
  text: Buffer,
  start: number,
  value: (at: number, set: (v: V) => void) => number,
): [Record<string, V>, number] {
  const out = Object.create(null) as Record<string, V>;
  if (isNull(text, start)) return [out, skipValue(text, start)];
  const end = readFields(text, start, (key, at) =>
    value(at, (v) => {
      out[key] = v;
    }),
  );
  return [out, end];
}

const positionFields: FieldTable<StreamPosition> = {
  offset: (t, at, p) => unsigned(t, at, (v) => (p.offset = v)),
  epoch: (t, at, p) => string(t, at, (v) => (p.epoch = v)),
};

const connectFields: FieldTable<ConnectRequest> = {
  token: (t, at, r) => string(t, at, (v) => (r.token = v)),
  data: (t, at, r) => payload(t, at, (v) => (r.data = v)),
  name: (t, at, r) => string(t, at, (v) => (r.name = v)),
  version: (t, at, r) => string(t, at, (v) => (r.version = v)),
  subs: (t, at, r) => {
    const [subs, end] = mapOf<SubscribeRequest>(t, at, (valueAt, set) => {
      const request = newRequest.subscribe();
      const after = fields(t, valueAt, request, subscribeFields);
      set(request);
      return after;
    });
    r.subs = subs;
    return end;
  },
  headers: (t, at, r) => {
    const [headers, end] = mapOf<string>(t, at, (valueAt, set) => string(t, valueAt, set));
    r.headers = headers;
    return end;
  },
};

const subscribeFields: FieldTable<SubscribeRequest> = {
  channel: (t, at, r) => string(t, at, (v) => (r.channel = v)),
  token: (t, at, r) => string(t, at, (v) => (r.token = v)),
  recover: (t, at, r) => boolean(t, at, (v) => (r.recover = v)),
  epoch: (t, at, r) => string(t, at, (v) => (r.epoch = v)),
  offset: (t, at, r) => unsigned(t, at, (v) => (r.offset = v)),
  data: (t, at, r) => payload(t, at, (v) => (r.data = v)),
  positioned: (t, at, r) => boolean(t, at, (v) => (r.positioned = v)),
  recoverable: (t, at, r) => boolean(t, at, (v) => (r.recoverable = v)),
  join_leave: (t, at, r) => boolean(t, at, (v) => (r.joinLeave = v)),
  delta: (t, at, r) => string(t, at, (v) => (r.delta = v)),
  tf: (t, at, r) => {
    if (isNull(t, at)) return skipValue(t, at);
    const [node, end] = filterNode(t, at, 0);
    r.tf = node;
    return end;
  },
  flag: (t, at, r) => integer(t, at, (v) => (r.flag = v)),
  type: (t, at, r) => integer(t, at, (v) => (r.type = v)),
};

function filterNode(text: Buffer, start: number, depth: number): [FilterNode, number] {
  if (depth >= MAX_FILTER_DEPTH) throw new DecodeError('filter too deep');
  const node: Draft<FilterNode> = {};
  const end = fields(text, start, node, {
    op: (t, at) => string(t, at, (v) => (node.op = v)),
    key: (t, at) => string(t, at, (v) => (node.key = v)),
    cmp: (t, at) => string(t, at, (v) => (node.cmp = v)),
    val: (t, at) => string(t, at, (v) => (node.val = v)),
    vals: (t, at) => {
      const vals: string[] = [];
      node.vals = vals;
      return isNull(t, at)
        ? skipValue(t, at)
        : readItems(t, at, (item) => string(t, item, (v) => void vals.push(v)));
    },
    nodes: (t, at) => {
      const nodes: FilterNode[] = [];
      node.nodes = nodes;
      if (isNull(t, at)) return skipValue(t, at);
      return readItems(t, at, (item) => {
        const [child, after] = filterNode(t, item, depth + 1);
        nodes.push(child);
        return after;
      });
    },
  });
  return [node, end];
}

const channelFields: FieldTable<{ channel: string }> = {
  channel: (t, at, r) => string(t, at, (v) => (r.channel = v)),
};

const publishFields: FieldTable<PublishRequest> = {
  ...channelFields,
  data: (t, at, r) => payload(t, at, (v) => (r.data = v)),
  type: (t, at, r) => integer(t, at, (v) => (r.type = v)),
};

const historyFields: FieldTable<HistoryRequest> = {
  ...channelFields,
  limit: (t, at, r) => integer(t, at, (v) => (r.limit = v)),
  since: (t, at, r) => {
    if (isNull(t, at)) return skipValue(t, at);
    const since = { offset: 0, epoch: '' };
    r.since = since;
    return fields(t, at, since, positionFields);
  },
  reverse: (t, at, r) => boolean(t, at, (v) => (r.reverse = v)),
};

const rpcFields: FieldTable<RpcRequest> = {
  data: (t, at, r) => payload(t, at, (v) => (r.data = v)),
  method: (t, at, r) => string(t, at, (v) => (r.method = v)),
};

const subRefreshFields: FieldTable<SubRefreshRequest> = {
  ...channelFields,
  token: (t, at, r) => string(t, at, (v) => (r.token = v)),
  type: (t, at, r) => integer(t, at, (v) => (r.type = v)),
};

/** Requests with nothing set. */
const newRequest = {
  connect: (): Draft<ConnectRequest> => ({ token: '', name: '', version: '' }),
  subscribe: newSubscribeRequest,
  unsubscribe: () => ({ channel: '' }),
  publish: (): Draft<PublishRequest> => ({ channel: '', data: EMPTY, type: 0 }),
  presence: () => ({ channel: '' }),
  presence_stats: () => ({ channel: '' }),
  history: (): Draft<HistoryRequest> => ({ channel: '', limit: 0, reverse: false }),
  rpc: (): Draft<RpcRequest> => ({ method: '' }),
  send: (): { data?: Bytes } => ({}),
  refresh: () => ({ token: '' }),
  sub_refresh: (): Draft<SubRefreshRequest> => ({ channel: '', token: '', type: 0 }),
};

const requestFields: { readonly [M in Method]: FieldTable<Requests[M]> } = {
  connect: connectFields,
  subscribe: subscribeFields,
  unsubscribe: channelFields,
  publish: publishFields,
  presence: channelFields,
  presence_stats: channelFields,
  history: historyFields,
  rpc: rpcFields,
  send: { data: (t, at, r) => payload(t, at, (v) => (r.data = v)) },
  refresh: { token: (t, at, r) => string(t, at, (v) => (r.token = v)) },
  sub_refresh: subRefreshFields,
};

/** Of several requests in one command the first of this order counts. */
const precedence = Object.keys(requestFields) as Method[];

function isMethod(key: string): key is Method {
  return Object.hasOwn(requestFields, key);
}

/**
 * Reads one command from its line. Payloads are copied.
 * @throws SyntaxError or DecodeError where it is none
 */
export function decodeCommand(line: Buffer): Command {
  let id = 0;
  let method: Method | undefined;
  let request: object | undefined;
  const end = readFields(line, 0, (key, start) => {
    if (key === 'id') return unsigned(line, start, (value) => (id = value));
    if (key === 'ping' && !isNull(line, start)) throw new DecodeError('ping is not for clients');
    if (!isMethod(key) || isNull(line, start)) return skipValue(line, start, 1);
    const read: object = newRequest[key]();
    const after = fields(line, start, read, requestFields[key] as FieldTable<object>);
    if (method === undefined || precedence.indexOf(key) <= precedence.indexOf(method)) {
      method = key;
      request = read;
    }
    return after;
  });
  if (skipSpace(line, end) !== line.length) throw new DecodeError('text after a command');
  if (method === undefined || request === undefined) {
    if (id !== 0) throw new DecodeError('command without a request');
    return { method: 'pong', id: 0 };
  }
  if (id === 0 && method !== 'send') throw new DecodeError('command without an id');
  return { method, id, request } as Command;
}
