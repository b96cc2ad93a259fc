import type { Broker, ControlBus, ControlCommand, HistoryOptions, SubscriptionGrant } from '@gyre/broker';
import { memoryBroker, memoryControlBus } from '@gyre/broker/memory';
import type { PresenceManager } from '@gyre/presence-manager';
import { memoryPresenceManager } from '@gyre/presence-manager/memory';
import { clientError, type Publication } from '@gyre/protocol';
import { createExecutor } from '../executor.ts';
import { grpc, type GrpcOptions } from '../grpc.ts';
import { http, type HttpApi, type HttpHead, type HttpOptions, type HttpResponse } from '../http.ts';
import type { ChannelRules, DataFormat } from '../rules.ts';
import { serveGrpc, type GrpcDoor } from './grpc.ts';
import { Nodes } from './nodes.ts';

export const KEY = 'a key that nobody guesses';

const history: HistoryOptions = { size: 10, ttlMs: 60_000, metaTtlMs: 600_000 };

const plainGrant: SubscriptionGrant = {
  presence: false,
  joinLeave: false,
  pushJoinLeave: false,
  positioned: false,
  recoverable: false,
  recoveryMode: 'stream',
  autoCacheRecover: false,
};

/** Namespaces of the tests, by what stands before the colon; channels without one have no options. */
const namespaces: Record<string, { history?: true; presence?: true; delta?: true; format?: DataFormat }> = {
  '': {},
  kept: { history: true },
  seen: { presence: true },
  delta: { history: true, delta: true },
  json: { format: 'json' },
  object: { format: 'json_object' },
  binary: { format: 'binary', history: true },
};

const rules: ChannelRules = {
  publish: (channel) => {
    const { history: kept, delta = false, format = '' } = namespaceOf(channel);
    return { delta, format, ...(kept && { history }) };
  },
  subscribe: (channel, override) => {
    namespaceOf(channel);
    return {
      ...plainGrant,
      presence: override.presence ?? plainGrant.presence,
      joinLeave: override.joinLeave ?? plainGrant.joinLeave,
      pushJoinLeave: override.forcePushJoinLeave ?? plainGrant.pushJoinLeave,
      positioned: override.forcePositioning ?? plainGrant.positioned,
      recoverable: override.forceRecovery ?? plainGrant.recoverable,
    };
  },
  presence: (channel) => {
    if (!namespaceOf(channel).presence) throw clientError('notAvailable');
  },
  history: (channel) => {
    if (!namespaceOf(channel).history) throw clientError('notAvailable');
    return history;
  },
};

function namespaceOf(channel: string) {
  const name = channel.includes(':') ? channel.slice(0, channel.indexOf(':')) : '';
  if (name === 'map') throw clientError('badRequest');
  const namespace = Object.hasOwn(namespaces, name) ? namespaces[name] : undefined;
  if (namespace === undefined) throw clientError('unknownChannel');
  return namespace;
}

/** What reached the subscribers of a channel. */
export interface Delivered {
  readonly channel: string;
  readonly publication: Publication;
  readonly delta: boolean;
}

/** The server API over engines in memory, with what a test wants to see of it. */
export class TestApi {
  readonly broker: Broker = memoryBroker();
  readonly presence: PresenceManager = memoryPresenceManager();
  readonly nodes = new Nodes();
  readonly control: ControlBus = memoryControlBus();
  readonly delivered: Delivered[] = [];
  /** Commands that reached the node. */
  readonly commands: ControlCommand[] = [];
  /** What was logged. */
  readonly errors: object[] = [];
  readonly executor;
  readonly http: HttpApi;
  readonly #log = {
    error: (message: string, fields?: object): void => void this.errors.push({ message, ...fields }),
  };
  #grpc: Promise<GrpcDoor> | undefined;

  private constructor(options: Partial<HttpOptions>, control: ControlBus | undefined) {
    const services = {
      broker: this.broker,
      presence: this.presence,
      control: control ?? this.control,
      rules,
    };
    this.executor = createExecutor(services, this.#log);
    this.http = http({ executor: this.executor, key: KEY, insecure: false, errorMode: '', ...options });
  }

  /** @param control instead of the bus of one node */
  static async start(options: Partial<HttpOptions> = {}, control?: ControlBus): Promise<TestApi> {
    const api = new TestApi(options, control);
    await api.broker.start({
      publication: (channel, publication, _position, delta) =>
        api.delivered.push({ channel, publication, delta }),
      join: () => {},
      leave: () => {},
    });
    await api.control.start({
      apply: async (command) => void api.commands.push(command),
      answer: (survey, query) => api.nodes.answer(survey, query),
    });
    return api;
  }

  /** Sends a request with the right key, unless `head` says otherwise. */
  async post(path: string, body: string | Uint8Array, head: Partial<HttpHead> = {}): Promise<HttpResponse> {
    const call = this.http.open({
      method: 'POST',
      path,
      query: '',
      header: (name) => (name === 'x-api-key' ? KEY : ''),
      ...head,
    });
    return typeof call === 'function' ? call(Buffer.from(body)) : call;
  }

  /** Serves it over gRPC too, on loopback; the first call's options count. */
  grpc(options: Partial<GrpcOptions> = {}): Promise<GrpcDoor> {
    const complete: GrpcOptions = {
      executor: this.executor,
      key: KEY,
      errorMode: '',
      reflection: false,
      log: this.#log,
      ...options,
    };
    return (this.#grpc ??= serveGrpc(grpc(complete)));
  }

  async close(): Promise<void> {
    (await this.#grpc)?.close();
    await Promise.all([this.broker.close(), this.presence.close(), this.control.close()]);
  }
}
