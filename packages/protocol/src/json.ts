import { DecodeError, EncodeError, type Codec, type PublicationForm } from './codec.ts';
import type { ClientError } from './errors.ts';
import { decodeCommand } from './json-commands.ts';
import { asBuffer, isJson, skipSpace } from './json-scan.ts';
import type {
  Bytes,
  ClientInfo,
  Command,
  ConnectResult,
  HistoryResult,
  Publication,
  Push,
  RefreshResult,
  Reply,
  SubscribeResult,
  Tags,
} from './messages.ts';

const NEWLINE = 0x0a;

/** From here on it pays to remember that a payload was checked: histories are read many times. */
const REMEMBERED = 1024;
const checked = new WeakSet<Bytes>();

function isKnownJson(data: Bytes): boolean {
  if (data.length < REMEMBERED) return isJson(data);
  if (checked.has(data)) return true;
  if (!isJson(data)) return false;
  checked.add(data);
  return true;
}

/**
 * Collects a message of text and of payloads that go in as they are, and writes it in one piece. Text is gathered
 * into one string as long as no payload comes between.
 */
class Writer {
  #text = '';
  #parts: (string | Bytes)[] | undefined;
  #size = 0;

  text(text: string): void {
    this.#text += text;
  }

  /** A payload: JSON text, or it cannot be carried here. Raw newlines, which separate messages, are white space and go. */
  raw(data: Bytes): void {
    if (!isKnownJson(data)) throw new EncodeError('payload is not JSON');
    this.#flush();
    const bytes = data.includes(NEWLINE) ? data.filter((byte) => byte !== NEWLINE) : data;
    this.#parts?.push(bytes);
    this.#size += bytes.length;
  }

  #flush(): void {
    this.#parts ??= [];
    if (this.#text === '') return;
    this.#parts.push(this.#text);
    this.#size += Buffer.byteLength(this.#text);
    this.#text = '';
  }

  /** The message with its newline. */
  end(): Bytes {
    this.#text += '\n';
    if (this.#parts === undefined) return Buffer.from(this.#text);
    this.#flush();
    const out = Buffer.allocUnsafe(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      if (typeof part === 'string') at += out.write(part, at);
      else {
        out.set(part, at);
        at += part.length;
      }
    }
    return out;
  }
}

/**
 * Writes the fields of one object; zero values are left out. The names are constants of the protocol and need no
 * escaping.
 */
class Fields {
  readonly #w: Writer;
  #separator = '';

  constructor(writer: Writer) {
    this.#w = writer;
  }

  #name(name: string): void {
    this.#w.text(`${this.#separator}"${name}":`);
    this.#separator = ',';
  }

  string(name: string, value: string | undefined): this {
    return value === undefined || value === '' ? this : this.always(name, value);
  }

  number(name: string, value: number | undefined): this {
    return value === undefined || value === 0 ? this : this.always(name, value);
  }

  /** Writes the value even when it is zero. */
  always(name: string, value: string | number): this {
    this.#name(name);
    this.#w.text(typeof value === 'number' ? String(value) : JSON.stringify(value));
    return this;
  }

  flag(name: string, value: boolean | undefined): this {
    if (value !== true) return this;
    this.#name(name);
    this.#w.text('true');
    return this;
  }

  raw(name: string, value: Bytes | undefined): this {
    if (value === undefined || value.length === 0) return this;
    this.#name(name);
    this.#w.raw(value);
    return this;
  }

  tags(value: Tags | undefined): this {
    if (value === undefined) return this;
    const text = JSON.stringify(value);
    if (text === '{}') return this;
    this.#name('tags');
    this.#w.text(text);
    return this;
  }

  object<T>(name: string, value: T | undefined, write: (w: Writer, value: T) => void): this {
    if (value === undefined) return this;
    this.#name(name);
    write(this.#w, value);
    return this;
  }
}

/** Writes an object whose fields are given by the callback. */
function object(w: Writer, fields: (f: Fields) => void): void {
  w.text('{');
  fields(new Fields(w));
  w.text('}');
}

function list<T>(w: Writer, items: Iterable<T>, write: (w: Writer, item: T) => void): void {
  let separator = '[';
  for (const item of items) {
    w.text(separator);
    write(w, item);
    separator = ',';
  }
  w.text(separator === '[' ? '[]' : ']');
}

function map<T>(w: Writer, entries: Iterable<[string, T]>, write: (w: Writer, value: T) => void): void {
  let separator = '{';
  for (const [key, value] of entries) {
    w.text(`${separator}${JSON.stringify(key)}:`);
    write(w, value);
    separator = ',';
  }
  w.text(separator === '{' ? '{}' : '}');
}

function clientInfo(w: Writer, info: ClientInfo): void {
  object(w, (f) =>
    f
      .always('user', info.user)
      .always('client', info.client)
      .raw('conn_info', info.connInfo)
      .raw('chan_info', info.chanInfo),
  );
}

/** @param asString the payload goes as a JSON string of its text, see {@link PublicationForm} */
function publication(w: Writer, pub: Publication, asString: boolean): void {
  object(w, (f) => {
    if (!asString) f.raw('data', pub.data);
    // A patch is no JSON, but text, because what it was made of is.
    else if (pub.delta === true || isJson(pub.data)) f.always('data', asBuffer(pub.data).toString());
    else throw new EncodeError('payload is not JSON');
    f.object('info', pub.info, clientInfo)
      .number('offset', pub.offset)
      .tags(pub.tags)
      .flag('delta', pub.delta)
      .string('epoch', pub.epoch)
      .number('version', pub.version);
  });
}

function publications(w: Writer, pubs: readonly Publication[], asString: boolean): void {
  list(w, pubs, (inner, pub) => publication(inner, pub, asString));
}

function subscribeResult(w: Writer, result: SubscribeResult): void {
  const pubs = result.publications;
  object(w, (f) =>
    f
      .flag('expires', result.expires)
      .number('ttl', result.ttl)
      .flag('recoverable', result.recoverable)
      .string('epoch', result.epoch)
      .object('publications', pubs?.length === 0 ? undefined : pubs, (inner, value) =>
        publications(inner, value, result.delta === true),
      )
      .flag('recovered', result.recovered)
      .number('offset', result.offset)
      .flag('positioned', result.positioned)
      .raw('data', result.data)
      .flag('was_recovering', result.wasRecovering)
      .flag('delta', result.delta),
  );
}

function connectResult(w: Writer, result: ConnectResult): void {
  const subs = result.subs === undefined ? [] : Object.entries(result.subs);
  object(w, (f) =>
    f
      .string('client', result.client)
      .string('version', result.version)
      .flag('expires', result.expires)
      .number('ttl', result.ttl)
      .raw('data', result.data)
      .object('subs', subs.length === 0 ? undefined : subs, (inner, value) =>
        map(inner, value, subscribeResult),
      )
      .number('ping', result.ping)
      .flag('pong', result.pong)
      .string('session', result.session)
      .string('node', result.node)
      .number('time', result.time),
  );
}

function historyResult(w: Writer, result: HistoryResult): void {
  object(w, (f) =>
    f
      .object('publications', result.publications, (inner, value) => publications(inner, value, false))
      .always('epoch', result.epoch)
      .always('offset', result.offset),
  );
}

function refreshResult(w: Writer, result: RefreshResult): void {
  object(w, (f) => f.flag('expires', result.expires).number('ttl', result.ttl));
}

function replyResult(w: Writer, reply: Reply): void {
  switch (reply.method) {
    case 'connect':
      return connectResult(w, reply.result);
    case 'subscribe':
      return subscribeResult(w, reply.result);
    case 'unsubscribe':
    case 'publish':
      return w.text('{}');
    case 'presence':
      return object(w, (f) =>
        f.object('presence', reply.result.presence, (inner, members) => map(inner, members, clientInfo)),
      );
    case 'presence_stats':
      return object(w, (f) =>
        f.always('num_clients', reply.result.numClients).always('num_users', reply.result.numUsers),
      );
    case 'history':
      return historyResult(w, reply.result);
    case 'rpc':
      return object(w, (f) => f.raw('data', reply.result.data));
    case 'refresh':
    case 'sub_refresh':
      return refreshResult(w, reply.result);
  }
}

function pushBody(w: Writer, push: Push): void {
  switch (push.type) {
    case 'pub':
      return publication(w, push.pub, false);
    case 'join':
    case 'leave':
      return object(w, (f) => f.object('info', push.info, clientInfo));
    case 'unsubscribe':
      return object(w, (f) => f.number('code', push.code).string('reason', push.reason));
    case 'subscribe':
      return object(w, (f) =>
        f
          .flag('recoverable', push.recoverable)
          .string('epoch', push.epoch)
          .number('offset', push.offset)
          .flag('positioned', push.positioned)
          .raw('data', push.data),
      );
    case 'message':
      return object(w, (f) => f.raw('data', push.data));
    case 'disconnect':
      return object(w, (f) => f.number('code', push.code).string('reason', push.reason));
    case 'refresh':
      return object(w, (f) => f.flag('expires', push.expires).number('ttl', push.ttl));
  }
}

function decode(frame: Bytes): Command[] {
  const text = asBuffer(frame);
  const commands: Command[] = [];
  let at = 0;
  try {
    // One trailing newline may end the frame; a blank line, and so an empty frame, may not stand in it.
    do {
      const newline = text.indexOf(NEWLINE, at);
      const end = newline === -1 ? text.length : newline;
      const line = text.subarray(at, end);
      if (skipSpace(line, 0) === line.length) throw new DecodeError('blank line');
      commands.push(decodeCommand(line));
      at = end + 1;
    } while (at < text.length);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new DecodeError(cause.message, { cause });
    throw cause;
  }
  return commands;
}

/**
 * The JSON wire: one message a line. Payloads are sliced out of what clients send and placed verbatim into what they
 * get; zero values are left out but for the fields that clients rely on.
 */
export const jsonCodec: Codec = {
  wire: 'json',
  decode,

  reply(reply: Reply): Bytes {
    const w = new Writer();
    w.text(`{"id":${reply.id},"${reply.method}":`);
    replyResult(w, reply);
    w.text('}');
    return w.end();
  },

  error(id: number, error: ClientError): Bytes {
    const temporary = error.temporary ? ',"temporary":true' : '';
    return Buffer.from(
      `{"id":${id},"error":{"code":${error.code},"message":${JSON.stringify(error.message)}${temporary}}}\n`,
    );
  },

  push(push: Push): Bytes {
    const w = new Writer();
    w.text('{"push":{');
    if ('channel' in push) w.text(`"channel":${JSON.stringify(push.channel)},`);
    w.text(`"${push.type}":`);
    pushBody(w, push);
    w.text('}}');
    return w.end();
  },

  publication(channel: string, pub: Publication, form: PublicationForm): Bytes {
    const w = new Writer();
    w.text(`{"push":{"channel":${JSON.stringify(channel)},"pub":`);
    publication(w, pub, form.deltaNegotiated);
    w.text('}}');
    return w.end();
  },

  ping: Buffer.from('{}\n'),

  frame(messages: readonly Bytes[]): Bytes {
    const joined = messages.length === 1 ? (messages[0] as Bytes) : Buffer.concat(messages);
    return joined.subarray(0, joined.length - 1);
  },
};
