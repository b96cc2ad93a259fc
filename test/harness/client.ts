import { Centrifuge, type Options } from 'centrifuge';
import type { Addresses } from './config.ts';
import { jwt } from './jwt.ts';
import { teardown } from './teardown.ts';

export interface ClientOptions extends Partial<Options> {
  /** Connects with a token for this user. */
  readonly user?: string;
  /** Further claims of that token. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Makes an official client over Node's own WebSocket, not connected yet. It is disconnected when the test, or file, that
 * made it ends.
 */
export function newClient(
  server: Pick<Addresses, 'wsUrl' | 'tokenSecret'>,
  options: ClientOptions = {},
): Centrifuge {
  const { user, claims, ...own } = options;
  const token =
    user === undefined && claims === undefined ? '' : jwt({ sub: user ?? '', ...claims }, server.tokenSecret);
  // Reconnects promptly: nobody has to be spared here.
  const client = new Centrifuge(server.wsUrl, {
    token,
    minReconnectDelay: 20,
    maxReconnectDelay: 200,
    ...own,
  });
  teardown(async () => client.disconnect());
  return client;
}

/**
 * Connects an official client.
 * @throws Error where the server refuses it for good
 */
export async function connectClient(
  server: Pick<Addresses, 'wsUrl' | 'tokenSecret'>,
  options: ClientOptions = {},
): Promise<Centrifuge> {
  const client = newClient(server, options);
  client.connect();
  await client.ready();
  return client;
}
