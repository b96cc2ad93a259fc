import { execFileSync } from 'node:child_process';
import { startRedis, type OwnRedis } from '../../packages/redis/src/testing.ts';
import { teardown } from '../harness/index.ts';

/** A Redis behind an address of its own, to which the kernel can lose the way. For root on Linux. */
export interface BehindRoute {
  readonly url: string;
  readonly servers: readonly OwnRedis[];
  /** Packets vanish from now on, in both directions, until `mend`. */
  lose(): void;
  mend(): void;
  close(): Promise<void>;
}

export const canLoseRoutes = process.platform === 'linux' && process.getuid?.() === 0;

export async function startBehindRoute(): Promise<BehindRoute> {
  const address = `10.213.${(process.pid >> 8) & 255}.${process.pid & 255 || 1}`;
  const local = ['local', address, 'dev', 'lo', 'table', 'local'];
  const hole = ['blackhole', `${address}/32`];
  ip('address', 'add', `${address}/32`, 'dev', 'lo');
  teardown(async () => {
    for (const route of [local, hole]) ip('route', 'replace', ...route);
    for (const route of [local, hole]) ip('route', 'delete', ...route);
    ip('address', 'delete', `${address}/32`, 'dev', 'lo');
  });
  const redis = await startRedis(['--bind', '127.0.0.1', address]);
  return {
    url: `redis://${address}:${redis.port}`,
    servers: [redis],
    lose: () => {
      ip('route', 'delete', ...local);
      ip('route', 'add', ...hole);
    },
    mend: () => {
      ip('route', 'delete', ...hole);
      ip('route', 'add', ...local);
    },
    close: () => redis.close(),
  };
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}
