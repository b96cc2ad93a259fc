import type { Broker, ControlBus } from '@gyre/broker';
import type { PresenceManager } from '@gyre/presence-manager';
import type { Gate } from './gate.ts';
import type { Hub } from './hub/hub.ts';
import type { Log, NodeOptions, NodeStats } from './options.ts';
import type { Feed } from './recovery/feed.ts';
import type { ConnectRates } from './session/rate-limits.ts';
import type { Deadlines } from './session/deadlines.ts';
import type { Flusher } from './session/outbox.ts';

/** What the sessions of one node share. */
export interface Context {
  /** Replaced as a whole when the configuration is read again. */
  options: NodeOptions;
  readonly gate: Gate;
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: Pick<ControlBus, 'send'>;
  readonly hub: Hub;
  readonly feed: Pick<Feed, 'catchUp'>;
  readonly flusher: Flusher;
  readonly deadlines: Deadlines;
  readonly connectRates: ConnectRates;
  readonly stats: NodeStats;
  readonly log: Log;
  /**
   * Work that outlives its connection (presence to be removed, leaves to be told): logged when it fails, waited for
   * when the node closes.
   */
  background(work: Promise<unknown>): void;
}
