import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { apiRequest } from './api-requests.ts';
import { jsonText } from './json-text.ts';
import { mutate } from './mutate.ts';

/** One request in bytes. */
export interface HttpRequest {
  readonly bytes: Buffer;
  /** As the standards want it, so that it has to be answered. */
  readonly sound: boolean;
}

interface Body {
  readonly path: string;
  readonly text: Buffer;
}

/** A body for one method by its own path, or for any number of them in the other style. */
function body(random: Random, odd: number): Body {
  const { name, request } = apiRequest(random);
  if (!random.oneIn(3)) return { path: `/api/${name}`, text: Buffer.from(jsonText(random, request, odd)) };
  const commands = Array.from({ length: random.oneIn(40) ? 3000 : 1 + random.int(4) }, (_, id) => {
    const one = apiRequest(random);
    const method = random.oneIn(10) ? random.int(30) : one.name;
    return jsonText(random, { id, method, params: one.request }, odd);
  });
  return { path: '/api', text: Buffer.from(commands.join(random.pick(['\n', '', ' ', '\n\n']))) };
}

const paths = [
  '/api',
  '/api/',
  '/api/publish/',
  '/api/dance',
  '/api/PUBLISH',
  '/api//publish',
  '/api/%70ublish',
  '/',
  '*',
  '/metrics',
];
const verbs = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'post', 'CONNECT', 'TRACE', 'DANCE', ''];

const oddHeaders = [
  'X-Centrifugo-Error-Mode: transport',
  'Content-Type: application/json',
  'Content-Type: \u0000',
  'Expect: 100-continue',
  'Connection: close',
  'Connection: Upgrade',
  'Accept-Encoding: gzip',
  'Content-Encoding: gzip',
  'Authorization: apikey wrong',
  'Authorization: ',
  `X-Large: ${'x'.repeat(10_000)}`,
  `X-Larger: ${'x'.repeat(40_000)}`,
  'no colon',
  ': no name',
  'X-Folded: a\r\n b',
  'X-Bytes: \u00ff\u00fe',
  ...Array.from({ length: 3 }, (_, n) =>
    Array.from({ length: 60 }, (__, i) => `X-${n}-${i}: ${i}`).join('\r\n'),
  ),
];

function chunked(random: Random, text: Buffer, odd: boolean): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < text.length;) {
    const size = Math.min(text.length - at, 1 + random.int(random.oneIn(2) ? 10 : 5000));
    const told =
      odd && random.oneIn(4)
        ? random.pick(['zz', '-1', 'ffffffffffffffff', '', '0x5', `${size.toString(16)};a=b`])
        : size.toString(16);
    parts.push(
      Buffer.from(`${told}\r\n`),
      text.subarray(at, at + size),
      Buffer.from(odd && random.oneIn(6) ? '' : '\r\n'),
    );
    at += size;
  }
  return Buffer.concat([...parts, Buffer.from(odd && random.oneIn(6) ? '' : '0\r\n\r\n')]);
}

function bytesOf(verb: string, path: string, headers: readonly string[], text: Buffer): Buffer {
  const head = [`${verb} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), text]);
}

/** A request of the server API. */
export function httpRequest(random: Random, key: string): HttpRequest {
  const odd = random.pick([0, 0, 20, 100]);
  const { path, text } = body(random, odd);
  const sent = random.oneIn(6) ? mutate(random, text) : text;
  const headers = [`X-API-Key: ${random.oneIn(12) ? 'wrong' : key}`];
  const framed = random.int(6);
  if (!random.oneIn(4)) {
    // As it should be, whatever its body is.
    if (framed > 0)
      return {
        bytes: bytesOf('POST', path, [...headers, `Content-Length: ${sent.length}`], sent),
        sound: true,
      };
    return {
      bytes: bytesOf('POST', path, [...headers, 'Transfer-Encoding: chunked'], chunked(random, sent, false)),
      sound: true,
    };
  }
  for (let n = random.int(4); n > 0; n--) headers.push(random.pick(oddHeaders));
  const verb = random.oneIn(4) ? random.pick(verbs) : 'POST';
  const odder = random.oneIn(4) ? random.pick(paths) : path;
  if (framed === 0) return { bytes: bytesOf(verb, odder, headers, sent), sound: false };
  if (framed < 3) {
    const both = random.oneIn(3) ? [`Content-Length: ${sent.length}`] : [];
    const bytes = bytesOf(
      verb,
      odder,
      [...headers, ...both, 'Transfer-Encoding: chunked'],
      chunked(random, sent, true),
    );
    return { bytes, sound: false };
  }
  const length = random.pick([
    sent.length,
    sent.length - 5,
    sent.length + 5,
    -1,
    2 ** 31,
    'five',
    '1e3',
    `${sent.length}, 7`,
  ]);
  return { bytes: bytesOf(verb, odder, [...headers, `Content-Length: ${length}`], sent), sound: false };
}
