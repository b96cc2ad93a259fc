import { userInfo } from 'node:os';
import type { Running } from './server.testing.ts';

/** That of docker-compose.yml, so that there is one to fetch. */
const image = 'redis:7-bookworm';

/**
 * Starts a server as a container of the Docker engine of this machine. It shares the machine's network, since the servers
 * of a Cluster tell each other and their clients where they are, and its folder.
 * @param dir the folder, which has the same path inside
 * @throws Error where no engine answers, or has no such image
 */
export async function runContainer(args: readonly string[], dir: string): Promise<Running> {
  // Loaded only where it is needed: it is large.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch((cause: unknown) => {
    throw new Error('no redis-server is on the PATH, and no Docker engine answers', { cause });
  });
  const { uid, gid } = userInfo();
  const started = await new GenericContainer(image)
    .withNetworkMode('host')
    .withBindMounts([{ source: dir, target: dir }])
    // Its own entry point would change to a user who may not write there.
    .withUser(`${uid}:${gid}`)
    .withEntrypoint(['redis-server'])
    .withCommand([...args])
    .start();
  const container = engine.container.getById(started.getId());
  let ended: string | undefined;
  let removed = false;
  const end = container.wait().then(
    (how: unknown) => (ended ??= JSON.stringify(how)),
    (error: unknown) => (ended ??= String(error)),
  );
  return {
    ended: () => ended,
    signal: async (signal) => {
      await container.kill({ signal });
    },
    kill: async () => {
      if (removed) return;
      removed = true;
      await container.remove({ force: true });
      await end;
    },
  };
}
