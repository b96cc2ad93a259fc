import { beforeAll, describe, expect, it } from 'vitest';
import { gyre, HandshakeRefused, rawSocket, type Gyre } from '../harness/index.ts';

/** [S07] A page of another site may not connect in the name of who looks at it. */

async function handshake(server: Gyre, origin: string | undefined): Promise<number> {
  try {
    (await rawSocket(server, origin === undefined ? {} : { headers: { Origin: origin } })).destroy();
    return 101;
  } catch (error) {
    if (error instanceof HandshakeRefused) return error.status;
    throw error;
  }
}

describe('with origins allowed', () => {
  let server: Gyre;
  beforeAll(async () => {
    server = await gyre.start({
      config: {
        client: {
          allowed_origins: [
            'https://a.com',
            'https://*.b.com',
            'http://localhost:*',
            'http://c.com:3000',
            'https://xn--bcher-kva.example',
          ],
        },
      },
    });
  });

  it.each([
    ['none, as from no browser', undefined, 101],
    ['one that is named', 'https://a.com', 101],
    ['in other letters', 'HTTPS://A.COM', 101],
    ['with the port that its scheme has', 'https://a.com:443', 101],
    ['with another port', 'https://a.com:444', 403],
    ['of another scheme', 'http://a.com', 403],
    ['of another scheme on the same port', 'http://a.com:443', 403],
    ['that begins alike', 'https://a.com.evil.com', 403],
    ['that ends alike', 'https://evila.com', 403],
    ['with a trailing dot', 'https://a.com.', 403],
    ['with somebody before the host', 'https://evil.com@a.com', 403],
    ['with a path', 'https://a.com/evil', 403],
    ['null', 'null', 403],
    ['that is no origin', 'a.com', 403],
    ['a star', '*', 403],
    ['of a subdomain', 'https://x.b.com', 101],
    ['of one below that', 'https://x.y.b.com', 101],
    ['of the domain itself, where subdomains are meant', 'https://b.com', 403],
    ['that would cross from the port into the pattern', 'https://evil.com:1.b.com', 403],
    ['that would cross from the path', 'https://evil.com/.b.com', 403],
    ['that would cross from a query', 'https://evil.com?.b.com', 403],
    ['that would cross from a fragment', 'https://evil.com#.b.com', 403],
    ['of any port', 'http://localhost:5173', 101],
    ['of a port that is none', 'http://localhost:x', 403],
    ['of the port that is named', 'http://c.com:3000', 101],
    ['of none, where one is named', 'http://c.com', 403],
    ['in punycode', 'https://xn--bcher-kva.example', 101],
    ['in letters of its own', 'https://b\u00fccher.example', 403],
    ['two of them', 'https://a.com, https://evil.com', 403],
    ['two of them, the other way round', 'https://evil.com, https://a.com', 403],
    ['a very long one', `https://${'x'.repeat(5000)}.com`, 403],
  ])('an origin %s', async (_name, origin, status) => {
    expect(await handshake(server, origin)).toBe(status);
  });
});

describe('with no origin allowed', () => {
  it.each([
    [undefined, 101],
    ['null', 403],
    ['https://a.com', 403],
    ['http://127.0.0.1', 403],
  ])('%s is answered %i', async (origin, status) => {
    const server = await gyre.start({ config: { client: { allowed_origins: [] } } });
    expect(await handshake(server, origin)).toBe(status);
  });
});
