import type { HttpResponse } from '../http.ts';
import type { MethodName } from '../messages.ts';
import type { TestApi } from './api.ts';

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
  /** Its text for code 102. */
  readonly unknownChannel: string;
  /** Its answer where parameters are not of the schema. */
  readonly malformed: Answer | typeof unreadable;
  /** @param params the request as JSON text */
  call(api: TestApi, method: MethodName, params: string): Promise<Answer | typeof unreadable>;
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
  unknownChannel: 'unknown channel',
  malformed: unreadable,
  call: async (api, method, params) => answerOf(await api.post(`/${method}`, params)),
};

const byCommand: Carrier = {
  name: 'POST /api {method, params}',
  unknownChannel: 'namespace not found',
  malformed: { error: { code: 107, message: 'bad request' } },
  call: async (api, method, params) =>
    answerOf(await api.post('', `{"method":"${method}","params":${params}}`)),
};

const inBatch = (parallel: boolean): Carrier => ({
  name: `POST /api/batch, ${parallel ? 'parallel' : 'in order'}`,
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

/** All of them. */
export const carriers: readonly Carrier[] = [byPath, byCommand, inBatch(false), inBatch(true)];
