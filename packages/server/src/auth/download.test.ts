import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { download } from './download.ts';

async function serve(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`);
}

test('gives the bytes of an answer', async () => {
  const url = await serve((_, response) => response.end('{"keys":[]}'));
  expect((await download(url, false)).toString()).toBe('{"keys":[]}');
});

test('takes 512 KiB and not a byte more, said beforehand or not', async () => {
  const url = await serve((request, response) => {
    const size = Number(new URL(request.url ?? '', url).searchParams.get('size'));
    response.end(Buffer.alloc(size));
  });
  expect(await download(new URL('?size=524288', url), false)).toHaveLength(524_288);
  await expect(download(new URL('?size=524289', url), false)).rejects.toThrow('more than 524288 bytes');
});

test('an answer without end is cut off', async () => {
  const url = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  });
  await expect(download(url, false)).rejects.toThrow('more than 524288 bytes');
});

test('does not wait for ever: neither for an answer nor for its end', async () => {
  const silent = await serve(() => {});
  const halfway = await serve((_, response) => void response.writeHead(200).write('{'));
  for (const url of [silent, halfway]) await expect(download(url, false)).rejects.toThrow(/abort/i);
});

test('does not follow a redirect', async () => {
  let followed = false;
  const target = await serve((_, response) => {
    followed = true;
    response.end('{"keys":[]}');
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await serve((_, response) => response.writeHead(status, { Location: target.href }).end());
    await expect(download(url, false)).rejects.toThrow(`status ${status}`);
  }
  expect(followed).toBe(false);
});

test('under guard goes to no private address, by whatever name', async () => {
  let asked = 0;
  const { port } = await serve((_, response) => {
    asked++;
    response.end();
  });
  const names = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
  ];
  for (const name of names) {
    await expect(download(new URL(`http://${name}:${port}/`), true), name).rejects.toThrow('not public');
  }
  expect(asked).toBe(0);
  // It is the guard that kept them away.
  await download(new URL(`http://localhost:${port}/`), false);
  expect(asked).toBe(1);
});
