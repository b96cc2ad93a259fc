import type { Addresses } from './config.ts';

export interface ApiAnswer<Result> {
  /** HTTP status. */
  readonly status: number;
  /** As it came. */
  readonly text: string;
  readonly result?: Result;
  readonly error?: { readonly code: number; readonly message: string };
}

/**
 * Calls a method of the server API: `POST /api/<method>` with the server's key.
 * @param params sent as JSON; a string is sent as it stands
 * @param patience milliseconds to wait for the answer; forever where it is not given
 */
export async function api<Result = Record<string, unknown>>(
  server: Pick<Addresses, 'apiUrl' | 'apiKey'>,
  method: string,
  params: unknown = {},
  patience?: number,
): Promise<ApiAnswer<Result>> {
  const response = await fetch(`${server.apiUrl}/${method}`, {
    method: 'POST',
    headers: { 'X-API-Key': server.apiKey, 'Content-Type': 'application/json' },
    body: typeof params === 'string' ? params : JSON.stringify(params),
    ...(patience === undefined ? {} : { signal: AbortSignal.timeout(patience) }),
  });
  const text = await response.text();
  const parsed = text.startsWith('{') ? (JSON.parse(text) as object) : {};
  return { status: response.status, text, ...parsed };
}
