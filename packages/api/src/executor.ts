import { ClientError, Histogram, clientError, secondsOfCommands } from '@gyre/protocol';
import type { Context, Services } from './context.ts';
import { refusal, type Wording } from './errors.ts';
import type { Message } from './field.ts';
import type { ApiError, MethodName, Outcome, Requests, Results } from './messages.ts';
import { batch } from './methods/batch.ts';
import { broadcast } from './methods/broadcast.ts';
import { channels } from './methods/channels.ts';
import { disconnect } from './methods/disconnect.ts';
import { historyRemove } from './methods/history-remove.ts';
import { history } from './methods/history.ts';
import { info } from './methods/info.ts';
import { presenceStats } from './methods/presence-stats.ts';
import { presence } from './methods/presence.ts';
import { publish } from './methods/publish.ts';
import { refresh } from './methods/refresh.ts';
import { rpc } from './methods/rpc.ts';
import { subscribe } from './methods/subscribe.ts';
import { unsubscribe } from './methods/unsubscribe.ts';
import { batchRequest, batchResult, requests, results } from './schema.ts';

/** Where failures that no caller is told of are written. */
export interface Log {
  readonly error?: (message: string, fields?: object) => void;
}

/** One method: how its request is read, what it does, how its result is written. */
export interface Method {
  readonly request: Message<object>;
  readonly result: Message<object>;
  run(request: object, context: Context): Promise<object>;
}

/** The types of one row fit each other; the table itself is looked up by names that come from outside. */
function method<Q extends object, R extends object>(
  request: Message<Q>,
  result: Message<R>,
  run: (request: Q, context: Context) => Promise<R>,
): Method {
  return { request, result, run: run as Method['run'] };
}

/** All methods of the server API. */
export const methods: Readonly<Record<MethodName, Method>> = {
  publish: method(requests.publish, results.publish, publish),
  broadcast: method(requests.broadcast, results.broadcast, broadcast),
  subscribe: method(requests.subscribe, results.subscribe, subscribe),
  unsubscribe: method(requests.unsubscribe, results.unsubscribe, unsubscribe),
  disconnect: method(requests.disconnect, results.disconnect, disconnect),
  refresh: method(requests.refresh, results.refresh, refresh),
  presence: method(requests.presence, results.presence, presence),
  presence_stats: method(requests.presence_stats, results.presence_stats, presenceStats),
  history: method(requests.history, results.history, history),
  history_remove: method(requests.history_remove, results.history_remove, historyRemove),
  channels: method(requests.channels, results.channels, channels),
  info: method(requests.info, results.info, info),
  rpc: method(requests.rpc, results.rpc, rpc),
  batch: method(batchRequest, batchResult, batch),
};

export const methodNames = Object.keys(methods) as readonly MethodName[];

/** Whether there is a method of this name. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(methods, name);
}

/** Who calls, as far as it matters: by which carrier, and which text is expected with code 102. */
export interface Caller {
  readonly protocol: 'http' | 'grpc';
  readonly wording: Wording;
}

/** Counters that only rise. Whoever serves metrics reads them. */
export interface ApiStats {
  /** By `protocol:method`. */
  readonly commands: Record<string, number>;
  /** Seconds until the answer, by `protocol:method`; refused ones included. */
  readonly durations: Record<string, Histogram>;
  /** By `protocol:method:code`. */
  readonly errors: Record<string, number>;
}

/** The server API itself, whatever the carrier. */
export interface Executor {
  /** Runs one call. Never rejects: what is not a refusal is error 100, and logged. */
  call<M extends MethodName>(name: M, request: Requests[M], caller: Caller): Promise<Outcome<Results[M]>>;
  readonly stats: ApiStats;
}

/** Makes the server API over a broker, a presence manager, a control bus and the rules of channels. */
export function createExecutor(services: Services, log: Log): Executor {
  const stats: ApiStats = { commands: {}, durations: {}, errors: {} };

  function explain(error: unknown, wording: Wording): ApiError {
    if (error instanceof ClientError) return refusal(error, wording);
    log.error?.('server API call failed', { error });
    return refusal(clientError('internal'), wording);
  }

  async function settle<R>(part: () => Promise<R>, wording: Wording): Promise<Outcome<R>> {
    try {
      return { result: await part() };
    } catch (error) {
      return { error: explain(error, wording) };
    }
  }

  const contextFor = (wording: Wording): Context => {
    const context: Context = {
      ...services,
      settle: (part) => settle(part, wording),
      run: (name, request) => methods[name].run(request, context),
    };
    return context;
  };
  const contexts: Readonly<Record<Wording, Context>> = {
    'unknown channel': contextFor('unknown channel'),
    'namespace not found': contextFor('namespace not found'),
  };

  return {
    stats,
    async call<M extends MethodName>(
      name: M,
      request: Requests[M],
      { protocol, wording }: Caller,
    ): Promise<Outcome<Results[M]>> {
      const key = keys[protocol][name];
      count(stats.commands, key);
      const began = performance.now();
      try {
        return { result: (await methods[name].run(request, contexts[wording])) as Results[M] };
      } catch (error) {
        const told = explain(error, wording);
        count(stats.errors, `${key}:${told.code}`);
        return { error: told };
      } finally {
        const taken = (performance.now() - began) / 1000;
        (stats.durations[key] ??= new Histogram(secondsOfCommands)).observe(taken);
      }
    },
  };
}

/** Made once: a key that is put together anew for each call costs more than counting it. */
const keys = { http: keysOf('http'), grpc: keysOf('grpc') };

function keysOf(protocol: Caller['protocol']): Readonly<Record<MethodName, string>> {
  const names = Object.keys(methods) as MethodName[];
  return Object.fromEntries(names.map((name) => [name, `${protocol}:${name}`])) as Record<MethodName, string>;
}

function count(counters: Record<string, number>, key: string): void {
  counters[key] = (counters[key] ?? 0) + 1;
}
