import type { Broker, ControlBus, ControlHandler } from '@gyre/broker';
import type { PresenceManager } from '@gyre/presence-manager';
import { Histogram, secondsOfCommands } from '@gyre/protocol';

/** What this process has asked of its engines, and got from the control bus. Counters that only rise. */
export interface Asked {
  /** Calls, by what they do. */
  readonly actions: Record<string, number>;
  readonly sent: Record<'publication' | 'join' | 'leave' | 'control', number>;
  /** Control commands that came, own ones included. */
  received: number;
  /** Seconds that surveys took, by question. */
  readonly surveys: Record<string, Histogram>;
}

interface Engines {
  readonly broker: Broker;
  readonly presence: PresenceManager;
  readonly control: ControlBus;
}

/** The same engines, with what is asked of them counted. A call costs an addition. */
export function counted<E extends Engines>(engines: E): E & { readonly asked: Asked } {
  const asked: Asked = {
    actions: {},
    sent: { publication: 0, join: 0, leave: 0, control: 0 },
    received: 0,
    surveys: {},
  };
  return {
    ...engines,
    broker: countedBroker(engines.broker, asked),
    presence: countedPresence(engines.presence, asked),
    control: countedControl(engines.control, asked),
    asked,
  };
}

function countedBroker(broker: Broker, { actions, sent }: Asked): Broker {
  return {
    ...broker,
    publish: (channel, publication, options) => {
      sent.publication++;
      return broker.publish(channel, publication, options);
    },
    announce: (channel, event, info) => {
      sent[event]++;
      return broker.announce(channel, event, info);
    },
    subscribe: (channel) => {
      count(actions, 'broker_subscribe');
      return broker.subscribe(channel);
    },
    unsubscribe: (channel) => {
      count(actions, 'broker_unsubscribe');
      return broker.unsubscribe(channel);
    },
    history: (channel, filter, options) => {
      count(actions, filter.limit === 0 ? 'history_stream_top' : 'history');
      return broker.history(channel, filter, options);
    },
    positions: (channels) => {
      count(actions, 'history_stream_top', channels.length);
      return broker.positions(channels);
    },
    removeHistory: (channel) => {
      count(actions, 'history_remove');
      return broker.removeHistory(channel);
    },
  };
}

function countedPresence(presence: PresenceManager, { actions, sent }: Asked): PresenceManager {
  return {
    ...presence,
    add: (channel, info) => {
      count(actions, 'add_presence');
      return presence.add(channel, info);
    },
    remove: async (channel, clientId, tell = false) => {
      count(actions, 'remove_presence');
      const untold = await presence.remove(channel, clientId, tell);
      if (tell && !untold) sent.leave++;
      return untold;
    },
    members: (channel, page) => {
      count(actions, 'presence');
      return presence.members(channel, page);
    },
    stats: (channel) => {
      count(actions, 'presence_stats');
      return presence.stats(channel);
    },
  };
}

function countedControl(control: ControlBus, asked: Asked): ControlBus {
  return {
    ...control,
    start: (handler) => control.start(countedHandler(handler, asked)),
    send: (command) => {
      asked.sent.control++;
      return control.send(command);
    },
    survey: async (survey, query) => {
      count(asked.actions, 'survey');
      const began = performance.now();
      try {
        return await control.survey(survey, query);
      } finally {
        const taken = (performance.now() - began) / 1000;
        (asked.surveys[survey] ??= new Histogram(secondsOfCommands)).observe(taken);
      }
    },
  };
}

function countedHandler(handler: ControlHandler, asked: Asked): ControlHandler {
  return {
    apply: (command) => {
      asked.received++;
      return handler.apply(command);
    },
    answer: (survey, query) => handler.answer(survey, query),
  };
}

function count(counters: Record<string, number>, key: string, by = 1): void {
  counters[key] = (counters[key] ?? 0) + by;
}
