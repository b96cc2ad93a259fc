import type { Centrifuge, ClientEvents, Subscription, SubscriptionEvents } from 'centrifuge';

/** Everything that was emitted so far, by event, in order. */
export type Recorded<Events extends EventMap> = {
  readonly [Name in keyof Events]: Parameters<Events[Name]>[0][];
};

type EventMap = { [name: string]: (context: never) => void };

const subscriptionEvents = [
  'subscribing',
  'subscribed',
  'unsubscribed',
  'publication',
  'join',
  'leave',
  'error',
] as const;
const clientEvents = [...subscriptionEvents, 'connecting', 'connected', 'disconnected', 'message'] as const;

/** Records what a subscription emits. Call it before `subscribe`, or what comes first is missed. */
export function record(
  subscription: Subscription,
): Recorded<Pick<SubscriptionEvents, (typeof subscriptionEvents)[number]>> {
  return listen(subscription, subscriptionEvents);
}

/** Records what a client emits: its connection, server-side subscriptions, messages. */
export function recordClient(
  client: Centrifuge,
): Recorded<Pick<ClientEvents, (typeof clientEvents)[number]>> {
  return listen(client, clientEvents);
}

function listen<Events extends EventMap>(
  emitter: { on(event: keyof Events, listener: (context: never) => void): unknown },
  names: readonly (keyof Events)[],
): Recorded<Events> {
  const recorded = Object.fromEntries(names.map((name) => [name, [] as unknown[]]));
  for (const name of names) emitter.on(name, (context) => recorded[name as string]!.push(context));
  return recorded as Recorded<Events>;
}
