import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { api, connectClient, record, recordClient, until, type Gyre } from '../harness/index.ts';

/** Milliseconds between two publications. */
const pace = 20;

/** A subscriber that nobody attacks, and has to get every publication in order whatever happens beside it. */
export interface Canary {
  /** Stops publishing and checks that all came, once, in order, without an interruption. */
  verify(): Promise<{ publications: number; medianMs: number; slowestMs: number }>;
}

/** Needs a namespace `canary` that users may subscribe to. */
export async function canary(server: Gyre): Promise<Canary> {
  const client = await connectClient(server, { user: 'canary' });
  const connection = recordClient(client);
  const subscription = client.newSubscription(`canary:${randomUUID()}`);
  const events = record(subscription);
  const begun: number[] = [];
  const took: number[] = [];
  subscription.on('publication', ({ data }) => took.push(performance.now() - (begun[data as number] ?? 0)));
  subscription.subscribe();
  await subscription.ready();

  let going = true;
  const publishing = (async () => {
    while (going) {
      const n = begun.push(performance.now()) - 1;
      const answer = await api(server, 'publish', { channel: subscription.channel, data: n });
      if (answer.status !== 200 || answer.error !== undefined) throw new Error(`publish: ${answer.text}`);
      await delay(pace);
    }
  })();
  // It fails where it is waited for.
  publishing.catch(() => {});

  return {
    async verify() {
      going = false;
      await publishing;
      await until(() => events.publication.length >= begun.length, { message: 'the last publication' });
      expect(events.publication.map(({ data }) => data as unknown)).toEqual([...begun.keys()]);
      expect(events.subscribed).toHaveLength(1);
      expect(connection.disconnected).toEqual([]);
      // The one before it was connected is not recorded: any is a reconnect.
      expect(connection.connecting).toEqual([]);
      const sorted = took.toSorted((a, b) => a - b);
      return {
        publications: begun.length,
        medianMs: sorted[sorted.length >> 1] ?? 0,
        slowestMs: sorted.at(-1) ?? 0,
      };
    },
  };
}
