import { jwt, type Gyre } from '../harness/index.ts';

let names = 0;

/** A channel that no other test uses. */
export function fresh(namespace = ''): string {
  return `${namespace === '' ? '' : `${namespace}:`}channel${++names}`;
}

/** A user that no other test uses. */
export function freshUser(): string {
  return `user${++names}`;
}

/** A connect request, or part of a subscribe one, with a token of these claims. */
export function token(server: Gyre, claims: Readonly<Record<string, unknown>>): { token: string } {
  return { token: jwt(claims, server.tokenSecret) };
}

/** Everything permitted to clients with a user. */
export const permitted = {
  allow_subscribe_for_client: true,
  allow_publish_for_client: true,
  allow_presence_for_client: true,
  allow_history_for_client: true,
};

export const kept = { history_size: 100, history_ttl: '300s' };
