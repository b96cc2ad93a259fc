import { Centrifuge, type Options } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import type { Addresses } from './config.ts';
import { jwt } from './jwt.ts';
import { teardown } from './teardown.ts';
import type { Encoding } from './wire.ts';

export interface ClientOptions extends Partial<Options> {
  /** Connects with a token for this user. */
  readonly user?: string;
  /** Further claims of that token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Default JSON. The payloads of the other one are bytes, see {@link payloads}. */
  readonly encoding?: Encoding;
}

// The package has a build for each encoding, with a class of its own that differs in nothing a test sees.
const classes = { json: Centrifuge, protobuf: ProtobufCentrifuge as unknown as typeof Centrifuge } as const;

/** Payloads of official clients: what to give them for a value, and the value of what they give. */
export function payloads(encoding: Encoding): {
  readonly pack: (value: unknown) => unknown;
  readonly unpack: (data: unknown) => unknown;
} {
  if (encoding === 'json') return { pack: (value) => value, unpack: (data) => data };
  return {
    pack: (value) => new TextEncoder().encode(JSON.stringify(value)),
    unpack: (data) => JSON.parse(new TextDecoder().decode(data as Uint8Array)) as unknown,
  };
}

/**
 * Makes an official client over Node's own WebSocket, not connected yet. It is disconnected when the test, or file, that
 * made it ends.
 */
export function newClient(
  server: Pick<Addresses, 'wsUrl' | 'tokenSecret'>,
  options: ClientOptions = {},
): Centrifuge {
  const { user, claims, encoding = 'json', ...own } = options;
  const token =
    user === undefined && claims === undefined ? '' : jwt({ sub: user ?? '', ...claims }, server.tokenSecret);
  // Reconnects promptly: nobody has to be spared here.
  const client = new classes[encoding](server.wsUrl, {
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
