import { badRequest } from './errors.ts';
import type { PageFields } from './messages.ts';

/**
 * A cursor says where a page begins, so it needs to be said how long one is.
 * @throws ClientError 107
 */
export function checkPage({ limit, cursor }: PageFields): void {
  if (limit < 0) throw badRequest('limit is negative');
  if (limit === 0 && cursor !== '') throw badRequest('cursor without limit');
}
