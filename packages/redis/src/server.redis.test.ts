import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findProgram } from './program.testing.ts';
import { useStage } from './stage.testing.ts';
import { startRedis, until } from './testing.ts';

/** Somebody listens there. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return once(socket, 'connect').then(
    () => {
      socket.destroy();
      return true;
    },
    () => false,
  );
}

describe('a Redis of the tests', () => {
  const stage = useStage();

  it('comes back with what it saved, and without what it did not', async () => {
    const server = stage.keep(await startRedis());
    await server.admin.set('saved', 1);
    await server.admin.save();
    await server.admin.set('lost', 1);
    await server.restart();
    expect(await server.admin.mget('saved', 'lost')).toEqual(['1', null]);
  });

  it('says nothing while it is paused, and goes on', async () => {
    const server = stage.keep(await startRedis(['--requirepass', 'secret']));
    await server.pause();
    let answered = false;
    const answer = server.admin.ping().then(() => (answered = true));
    // Another one answers meanwhile, as often as is enough for both.
    const other = stage.keep(await startRedis());
    for (let i = 0; i < 100; i++) await other.admin.ping();
    expect(answered).toBe(false);
    await server.resume();
    await answer;
  });

  it('is gone when it has crashed, and may be closed all the same', async () => {
    const server = await startRedis();
    await server.crash();
    expect(await listens(server.port)).toBe(false);
    await server.close();
    await server.close();
    expect(existsSync(server.dir)).toBe(false);
  });

  it('that does not start says why', async () => {
    await expect(startRedis(['--no-such-option', 'x'])).rejects.toThrow('a Redis of the tests ended');
  });

  // Containers are the engine's to clean up.
  it.skipIf(findProgram() === undefined)(
    'ends with the process that started it, however that ends',
    async () => {
      const module = new URL('./testing.ts', import.meta.url).href;
      const script = `import { startRedis } from '${module}';
      const { port, dir } = await startRedis();
      await new Promise((resolve) => process.stdout.write(JSON.stringify({ port, dir }), resolve));`;
      const starter = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [said] = (await once(starter.stdout, 'data')) as [Buffer];
      const { port, dir } = JSON.parse(said.toString()) as { port: number; dir: string };
      expect(await listens(port)).toBe(true);
      starter.kill('SIGKILL');
      await until(async () => !(await listens(port)) && !existsSync(dir));
    },
  );
});
