import type { Broker, ControlBus } from '@gyre/broker';
import type { PresenceManager } from '@gyre/presence-manager';
import type { CommandName, Outcome } from './messages.ts';
import type { ChannelRules } from './rules.ts';

/** What the methods act on. */
export interface Services {
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: ControlBus;
  readonly rules: ChannelRules;
}

/** What a method is given beside its request. */
export interface Context extends Services {
  /** Runs a part whose failure is the answer of that part alone, not of the whole call. Never rejects. */
  settle<R>(part: () => Promise<R>): Promise<Outcome<R>>;
  /** Runs another method; rejects where that refuses. */
  run(name: CommandName, request: object): Promise<object>;
}
