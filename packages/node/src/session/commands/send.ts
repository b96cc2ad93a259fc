import { disconnect } from '@gyre/protocol';

/** Messages without an answer have no receiver here. */
export async function send(): Promise<void> {
  throw disconnect('notAvailable');
}
