import { runId, script } from '@gyre/redis';
import type { Lease, Reply } from '@gyre/redis';

const readRunId = script<Reply>(new URL('./lua/read_run_id.lua', import.meta.url));

/**
 * Gives the lease of a Redis up when another process answers for one of its masters: it may lack what was written last,
 * or hold what was removed last. Under a new holder everything is written again, and what is left over is swept.
 */
export function watchLineage(lease: Lease, onError: (error: unknown) => void): void {
  /** By the first tag of a master. */
  const seen = new Map<string, string>();
  const look = async (): Promise<void> => {
    const tags = lease.shard.masters().flatMap(([first]) => first ?? []);
    for (const tag of seen.keys()) if (!tags.includes(tag)) seen.delete(tag);
    await Promise.all(
      tags.map(async (tag) => {
        const id = String(await readRunId(lease.shard, tag, [], [runId], 'read'));
        if ((seen.get(tag) ?? id) !== id) lease.abandon();
        seen.set(tag, id);
      }),
    );
  };
  lease.listen({ renewed: () => void look().catch(onError) });
}
