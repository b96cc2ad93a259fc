import type { Addresses } from './config.ts';

/**
 * What the server says of itself at `/metrics` (where `prometheus.enabled` is set): values by name, labels included as
 * they are written.
 */
export async function metrics(server: Pick<Addresses, 'internalUrl'>): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${server.internalUrl}/metrics`)).text();
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (space > 0 && !line.startsWith('#')) values.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return values;
}
