import type { Message } from '../field.ts';
import type { HttpResponse } from '../http.ts';
import { readJson } from '../json-read.ts';
import { writeJson } from '../json-write.ts';
import type { CommandName } from '../messages.ts';
import { requests, results } from '../schema.ts';
import { KEY, type TestApi } from './api.ts';

/** How a call ended, whatever it travelled by. */
export interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What a carrier says to a request that is not of the schema. */
export const unreadable = Symbol('unreadable');

/** A way to reach the methods. */
export interface Carrier {
  readonly name: string;
  readonly wire: 'json' | 'protobuf';
  /** Its text for code 102. */
  readonly unknownChannel: string;
  /** Its answer where parameters are not of the schema. */
  readonly malformed: Answer | typeof unreadable;
  /** @param params the request as JSON text */
  call(api: TestApi, method: CommandName, params: string): Promise<Answer | typeof unreadable>;
}

function answerOf(response: HttpResponse): Answer | typeof unreadable {
  if (response.status === 400 && response.body === 'Bad Request\n') return unreadable;
  if (response.status !== 200 || response.contentType !== 'application/json') {
    throw new Error(`unexpected answer: ${JSON.stringify(response)}`);
  }
  return JSON.parse(response.body) as Answer;
}

const byPath: Carrier = {
  name: 'POST /api/<method>',
  wire: 'json',
  unknownChannel: 'unknown channel',
  malformed: unreadable,
  call: async (api, method, params) => answerOf(await api.post(`/${method}`, params)),
};

const byCommand: Carrier = {
  name: 'POST /api {method, params}',
  wire: 'json',
  unknownChannel: 'namespace not found',
  malformed: { error: { code: 107, message: 'bad request' } },
  call: async (api, method, params) =>
    answerOf(await api.post('', `{"method":"${method}","params":${params}}`)),
};

const inBatch = (parallel: boolean): Carrier => ({
  name: `POST /api/batch, ${parallel ? 'parallel' : 'in order'}`,
  wire: 'json',
  unknownChannel: 'unknown channel',
  malformed: unreadable,
  call: async (api, method, params) => {
    const body = `{"commands":[{"${method}":${params}}],"parallel":${parallel}}`;
    const answer = answerOf(await api.post('/batch', body));
    if (answer === unreadable) return answer;
    const [reply] = (answer as unknown as { replies: Record<string, unknown>[] }).replies;
    return reply?.error === undefined ? { result: reply?.[method] } : (reply as Answer);
  },
});

/** The request as an object, with the payloads of the text byte for byte. */
function requestOf(method: CommandName, params: string): object {
  const request = readJson<object>(requests[method], Buffer.from(params));
  if (request === undefined) throw new Error(`not a request: ${params}`);
  return request;
}

/** What came over Protobuf, where zeros are not sent, with the zeros that JSON shows. */
function complete(message: Message<object>, value: object): object {
  const whole: Record<string, unknown> = { ...message.create(), ...value };
  for (const { name, shape, of } of message.fields) {
    const part = whole[name];
    if (of === undefined || part === undefined) continue;
    const inside = (item: unknown): object => complete(of, item as object);
    if (shape === 'one') whole[name] = inside(part);
    else if (shape === 'list') whole[name] = (part as unknown[]).map(inside);
    else whole[name] = new Map(Object.entries(part as object).map(([key, item]) => [key, inside(item)]));
  }
  return whole;
}

/** The same as JSON would have shown it. */
function resultOf(method: CommandName, result: object): Answer {
  const message: Message<object> = results[method];
  return { result: JSON.parse(writeJson(message, complete(message, result))) as unknown };
}

const authorization = `apikey ${KEY}`;

/** `presence_stats` is `presenceStats` in a batch, and the method `PresenceStats`. */
const camelCase = (name: string): string =>
  name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

const grpcMethod = (name: CommandName): string => {
  const camel = camelCase(name);
  return name === 'rpc' ? 'RPC' : camel.charAt(0).toUpperCase() + camel.slice(1);
};

const byGrpc: Carrier = {
  name: 'gRPC',
  wire: 'protobuf',
  unknownChannel: 'unknown channel',
  malformed: unreadable,
  call: async (api, method, params) => {
    const door = await api.grpc();
    const answer = await door.call(grpcMethod(method), requestOf(method, params), { authorization });
    const { error, result } = answer as Answer;
    return error === undefined ? resultOf(method, result as object) : { error };
  },
};

const inGrpcBatch: Carrier = {
  name: 'gRPC Batch',
  wire: 'protobuf',
  unknownChannel: 'unknown channel',
  malformed: unreadable,
  call: async (api, method, params) => {
    const door = await api.grpc();
    const field = camelCase(method);
    const batch = { commands: [{ [field]: requestOf(method, params) }] };
    const answer = await door.call('Batch', batch, { authorization });
    const [reply] = (answer as { replies: Record<string, object>[] }).replies;
    return reply?.['error'] === undefined ? resultOf(method, reply?.[field] ?? {}) : (reply as Answer);
  },
};

/** All of them. */
export const carriers: readonly Carrier[] = [
  byPath,
  byCommand,
  inBatch(false),
  inBatch(true),
  byGrpc,
  inGrpcBatch,
];
