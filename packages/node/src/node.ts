import type { Broker, ControlBus } from '@gyre/broker';
import type { PresenceManager } from '@gyre/presence-manager';
import { disconnect, type Codec } from '@gyre/protocol';
import type { Context } from './context.ts';
import { answer } from './control/answer.ts';
import { apply } from './control/apply.ts';
import type { Gate } from './gate.ts';
import { Hub } from './hub/hub.ts';
import { newStats, type Log, type NodeOptions, type NodeStats } from './options.ts';
import { Feed } from './recovery/feed.ts';
import { Deadlines } from './session/deadlines.ts';
import { ConnectRates } from './session/rate-limits.ts';
import { Flusher } from './session/outbox.ts';
import { Session } from './session/session.ts';
import type { Transport } from './transports/transport.ts';

/** What a node stands on. The engines are not closed with it: whoever made them does that. */
export interface NodeParts {
  readonly options: NodeOptions;
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: ControlBus;
  readonly gate: Gate;
  readonly log: Log;
}

/** What is on a node now. */
export interface NodeGauges {
  readonly clients: number;
  readonly users: number;
  readonly channels: number;
  readonly subscriptions: number;
  /** Open connections, those that have not connected included. */
  readonly open: number;
}

/** The mechanics of one process's connections: it knows no configuration, no token and no namespace. */
export class Node {
  readonly #context: Context;
  readonly #control: ControlBus;
  readonly #feed: Feed;
  readonly #work = new Set<Promise<unknown>>();
  #draining = false;

  constructor(parts: NodeParts) {
    const stats = newStats();
    this.#control = parts.control;
    const context: Context = {
      options: parts.options,
      gate: parts.gate,
      broker: parts.broker,
      presence: parts.presence,
      control: parts.control,
      hub: new Hub(parts.broker),
      flusher: new Flusher(stats),
      deadlines: new Deadlines(),
      connectRates: new ConnectRates(),
      stats,
      log: parts.log,
      background: (work) => this.#background(work),
      feed: { catchUp: (channel, top, history) => this.#feed.catchUp(channel, top, history) },
    };
    this.#context = context;
    this.#feed = new Feed(context);
  }

  get stats(): NodeStats {
    return this.#context.stats;
  }

  get gauges(): NodeGauges {
    const { hub } = this.#context;
    return {
      clients: hub.numClients,
      users: hub.numUsers,
      channels: hub.numChannels,
      subscriptions: hub.numSubscriptions,
      open: hub.numOpen,
    };
  }

  /** Begins to listen to broker and control bus. */
  async start(): Promise<void> {
    const started = performance.now();
    this.#context.deadlines.start();
    await this.#context.broker.start(this.#feed);
    this.#feed.start();
    await this.#control.start({
      apply: (command) => apply(this.#context, command),
      answer: (survey, query) => answer(this.#context, started, survey, query),
    });
  }

  /** Options for all that happens from now on; connections that exist keep their queue size. */
  configure(options: NodeOptions): void {
    this.#context.options = options;
  }

  /** A transport has a new connection. Undefined while the node is draining: the transport then ends it. */
  open(transport: Transport, codec: Codec): Session | undefined {
    return this.#draining ? undefined : new Session(this.#context, transport, codec);
  }

  /**
   * Ends every connection with 3001, spread evenly over `time` milliseconds, and waits until what that left to do
   * (presence, leaves) is done. New connections are refused from the first moment.
   */
  async drain(time: number): Promise<void> {
    this.#draining = true;
    const sessions = this.#context.hub.sessions();
    const began = performance.now();
    for (let i = 0; i < sessions.length;) {
      const share = time > 0 ? Math.min((performance.now() - began) / time, 1) : 1;
      for (const until = Math.ceil(share * sessions.length); i < until; i++)
        sessions[i]?.disconnect(disconnect('shutdown'));
      if (i < sessions.length) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#feed.close();
    this.#context.hub.close();
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
    this.#context.deadlines.close();
  }

  #background(work: Promise<unknown>): void {
    const tracked = work
      .catch((error: unknown) => this.#context.log.error?.('background work failed', { error }))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }
}
