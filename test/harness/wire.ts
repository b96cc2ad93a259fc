import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobufjs from 'protobufjs';
import type { Addresses } from './config.ts';
import { rawSocket, type Closed, type RawSocket, type RawSocketOptions } from './raw-socket.ts';
import { until, within } from './until.ts';
import type { CommandMessage, ConnectMessage, PushMessage, ReplyMessage } from './wire-messages.ts';

/** Both encodings of the client protocol, for `describe.each`. */
export const encodings = ['json', 'protobuf'] as const;

export type Encoding = (typeof encodings)[number];

/**
 * A client that does nothing by itself: it sends commands, and keeps what comes. Payloads are plain values in both
 * encodings; one of bytes, which only Protobuf can carry, is a Uint8Array.
 */
export interface Wire {
  readonly encoding: Encoding;
  readonly socket: RawSocket;
  /** Sends commands in one frame, as they are. */
  send(...commands: CommandMessage[]): void;
  /** Sends a command with an id of its own and waits for the reply. @throws Error where the connection ends instead */
  call(command: CommandMessage): Promise<ReplyMessage>;
  /** Everything that came so far, in order. */
  received(): readonly ReplyMessage[];
  /** All pushes so far, or those of one type. */
  pushes(type?: keyof PushMessage): readonly PushMessage[];
  /** Waits until at least so many pushes of a type came, and gives them. */
  pushed(type: keyof PushMessage, count: number): Promise<readonly PushMessage[]>;
  /** When it resolves, all that the server sent before has come. */
  fence(): Promise<void>;
  /** Waits for the server to close the connection. */
  end(): Promise<Closed>;
}

/** One that is connected, and what it was told then. */
export interface ConnectedWire extends Wire {
  readonly connected: ConnectMessage;
}

const source = readFileSync(join(import.meta.dirname, '..', '..', 'proto/client.proto'), 'utf8');
const { root } = protobufjs.parse(source, { keepCase: true });
const Command = root.lookupType('centrifugal.centrifuge.protocol.Command');
const Reply = root.lookupType('centrifugal.centrifuge.protocol.Reply');

/** Opens a connection and sends nothing. */
export async function openWire(
  server: Pick<Addresses, 'wsUrl'>,
  encoding: Encoding,
  headers: NonNullable<RawSocketOptions['headers']> = {},
): Promise<Wire> {
  const path = new URL(server.wsUrl).pathname;
  const query = encoding === 'protobuf' ? '?cf_protocol=protobuf' : '';
  const socket = await rawSocket(server, { path: path + query, headers });
  const messages: ReplyMessage[] = [];
  let lastId = 1000;
  let ended = false;
  const closed = socket.closed.finally(() => (ended = true));

  const received = (): readonly ReplyMessage[] => {
    for (const frame of socket.takeAll()) messages.push(...decode(frame));
    return messages;
  };
  const pushes = (type?: keyof PushMessage): PushMessage[] =>
    received().flatMap(({ push }) =>
      push !== undefined && (type === undefined || push[type] !== undefined) ? [push] : [],
    );
  const send = (...commands: CommandMessage[]): void => socket.send(encode(encoding, commands));
  const call = async (command: CommandMessage): Promise<ReplyMessage> => {
    const id = ++lastId;
    send({ id, ...command });
    const reply = (): ReplyMessage | undefined => received().find((message) => message.id === id);
    await until(() => reply() !== undefined || ended, { message: `a reply to ${JSON.stringify(command)}` });
    const answer = reply();
    if (answer === undefined) throw new Error(`closed instead of answering: ${JSON.stringify(await closed)}`);
    return answer;
  };
  return {
    encoding,
    socket,
    send,
    call,
    received,
    pushes,
    async pushed(type, count) {
      const message = (): string => `${count} of ${type}; came: ${JSON.stringify(received())}`;
      await until(() => pushes(type).length >= count || ended, { message });
      if (pushes(type).length < count) throw new Error(`closed before ${message()}`);
      return pushes(type);
    },
    fence: async () => void (await call({ unsubscribe: { channel: 'nobody-is-here' } })),
    end: () => within(closed, 10_000, 'a close'),
  };
}

/**
 * Opens a connection and connects.
 * @throws Error where it is refused
 */
export async function wire(
  server: Pick<Addresses, 'wsUrl'>,
  encoding: Encoding,
  request: CommandMessage = {},
): Promise<ConnectedWire> {
  const opened = await openWire(server, encoding);
  const { connect, error } = await opened.call({ connect: request });
  if (connect === undefined) throw new Error(`refused: ${JSON.stringify(error)}`);
  return { ...opened, connected: connect };
}

/** The payload of one frame with these commands. */
export function encode(encoding: Encoding, commands: readonly CommandMessage[]): string | Uint8Array {
  if (encoding === 'json') return commands.map((command) => JSON.stringify(command)).join('\n');
  const toBytes = (value: unknown): unknown =>
    value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return Buffer.concat(
    commands.map((command) =>
      Command.encodeDelimited(Command.fromObject(convert(Command, command, toBytes))).finish(),
    ),
  );
}

function decode(frame: string | Buffer): ReplyMessage[] {
  if (typeof frame === 'string') return frame.split('\n').map((line) => JSON.parse(line) as ReplyMessage);
  const reader = protobufjs.Reader.create(frame);
  const messages: ReplyMessage[] = [];
  while (reader.pos < reader.len) {
    const message = Reply.toObject(Reply.decodeDelimited(reader), { longs: Number });
    messages.push(convert(Reply, message, fromBytes) as ReplyMessage);
  }
  return messages;
}

/** The value of a payload; bytes that are no JSON stay. */
function fromBytes(value: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(value as Uint8Array).toString());
  } catch {
    return value;
  }
}

/** A copy of a message in which every payload, however deep, is another one. */
function convert(
  type: protobufjs.Type,
  message: CommandMessage,
  payload: (value: unknown) => unknown,
): CommandMessage {
  const convertField = (name: string, value: unknown): unknown => {
    const field = type.fields[name]?.resolve();
    if (field?.type === 'bytes') return payload(value);
    const inner = field?.resolvedType;
    if (!(inner instanceof protobufjs.Type)) return value;
    const convertItem = (item: unknown): CommandMessage => convert(inner, item as CommandMessage, payload);
    if (field?.repeated === true) return (value as unknown[]).map(convertItem);
    return field?.map === true ? mapValues(value as CommandMessage, convertItem) : convertItem(value);
  };
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, convertField(name, value)]),
  );
}

function mapValues(map: CommandMessage, change: (value: unknown) => unknown): CommandMessage {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
