import { lookup } from 'node:dns';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateAddress } from './address.ts';

/** Milliseconds from the first step to the last byte. */
const PATIENCE = 1000;

const MAX_BYTES = 512 * 1024;

/**
 * Gets a document over HTTP. Redirects are not followed.
 * @param guarded connect to public addresses only
 * @throws Error where there is none within a second, it is larger than 512 KiB, or its address is not public
 */
export async function download(url: URL, guarded: boolean): Promise<Buffer> {
  const response = await ask(url, guarded);
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early closes the connection.
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function ask(url: URL, guarded: boolean): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (guarded && isIP(host) !== 0 && isPrivateAddress(host)) throw notPublic();
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    request(url, {
      // A connection of its own: a shared one may have been opened without the guard.
      agent: false,
      signal: AbortSignal.timeout(PATIENCE),
      ...(guarded ? { lookup: publicLookup } : {}),
    })
      .on('response', (response) => {
        if (response.statusCode === 200) return resolve(response);
        response.destroy();
        reject(new Error(`status ${response.statusCode}`));
      })
      .on('error', reject)
      .end();
  });
}

/**
 * Looks at the very addresses that are connected to, so that a name which changes its address in between gains nothing.
 */
const publicLookup: LookupFunction = (host, options, done) => {
  lookup(host, { ...options, all: true }, (error, found) => {
    const [first] = found ?? [];
    if (error !== null || first === undefined) done(error ?? new Error('no address'), []);
    else if (found.some(({ address }) => isPrivateAddress(address))) done(notPublic(), []);
    else if (options.all === true) done(null, found);
    else done(null, first.address, first.family);
  });
};

function notPublic(): Error {
  return new Error('the address is not public');
}
