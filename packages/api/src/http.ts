// road out 2/8: authorise, decode, find the method
import { isUtf8 } from 'node:buffer';
import type { Bytes } from '@gyre/protocol';
import { authorize, type Credentials, type KeyOptions } from './authorize.ts';
import { statusOf } from './errors.ts';
import { methodNames, methods, type Executor } from './executor.ts';
import { readJson } from './json-read.ts';
import { answerCommands, readCommands } from './legacy.ts';
import type { MethodName } from './messages.ts';
import { writeError, writeOutcome, writeResult } from './outcome.ts';

/** What a request says before its body. */
export interface HttpHead extends Credentials {
  /** The verb, in capitals. */
  readonly method: string;
  /** What follows the prefix: "" for `/api`, `/publish` for `/api/publish`. */
  readonly path: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Absent where there is no body. */
  readonly contentType?: string;
  readonly body: string;
}

/** Takes the body of a request that was let in. What is needed of it is copied: it may be reused once this returns. */
export type HttpCall = (body: Bytes) => Promise<HttpResponse>;

export interface HttpOptions extends KeyOptions {
  readonly executor: Executor;
  /** `transport`: errors as HTTP statuses for everybody, not only for who asks by header. */
  readonly errorMode: '' | 'transport';
}

export interface HttpApi {
  /**
   * Looks at the head of a request, all of it at once, so that the head may be gone afterwards.
   * @returns an answer that refuses it, for which no body is needed, or what takes the body
   */
  open(head: HttpHead): HttpResponse | HttpCall;
}

const CALLER = { protocol: 'http', wording: 'unknown channel' } as const;

const JSON_TYPE = 'application/json';

function plain(status: number, body: string): HttpResponse {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

const paths = new Map(methodNames.map((name) => [`/${name}`, name]));

const badRequest = plain(400, 'Bad Request\n');
const unauthorized: HttpResponse = { status: 401, body: '' };
const unknownPath = plain(404, '404 page not found\n');
const wrongVerb: HttpResponse = { status: 405, body: '' };

/** For whoever writes answers: there is none, see the log. */
export const internalServerError = plain(500, 'Internal Server Error\n');

const json = (status: number, body: string): HttpResponse => ({ status, contentType: JSON_TYPE, body });

/**
 * The server API over HTTP, as plain data: heads and bodies in, statuses and bodies out. It holds no state, so changed
 * options are another one of these.
 */
export function http({ executor, errorMode, ...keys }: HttpOptions): HttpApi {
  const isAllowed = authorize(keys);

  async function legacy(body: Bytes): Promise<HttpResponse> {
    const commands = isUtf8(body) ? readCommands(body) : undefined;
    return commands === undefined ? badRequest : json(200, await answerCommands(commands, executor));
  }

  function oneMethod(name: MethodName, mapped: boolean): HttpCall {
    return async (body) => {
      const request = isUtf8(body) ? readJson(methods[name].request, body) : undefined;
      if (request === undefined) return badRequest;
      const outcome = await executor.call(name, request as never, CALLER);
      if (mapped && outcome.error !== undefined)
        return json(statusOf(outcome.error), writeError(outcome.error));
      // The answer of a batch is its replies themselves.
      const bare = name === 'batch' && outcome.error === undefined;
      const text = bare ? writeResult(name, outcome.result) : writeOutcome(name, outcome);
      return json(200, typeof text === 'string' ? text : await text);
    };
  }

  return {
    open(head) {
      const name = paths.get(head.path);
      if (name === undefined && head.path !== '') return unknownPath;
      if (head.method !== 'POST') return wrongVerb;
      if (!isAllowed(head)) return unauthorized;
      if (name === undefined) return legacy;
      const mapped = errorMode === 'transport' || head.header('x-centrifugo-error-mode') === 'transport';
      return oneMethod(name, mapped);
    },
  };
}
