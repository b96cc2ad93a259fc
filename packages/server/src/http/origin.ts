/**
 * Decides which origins may use the client transports.
 *
 * `*` alone is every origin. Otherwise a pattern is `scheme://host[:port]`, compared part by part with the parsed Origin:
 * `*` inside the host crosses dots, a port `*` is any port, nothing crosses from one part into the next. A handshake
 * without an Origin header comes from no browser and is always allowed.
 */
export function originRule(patterns: readonly string[]): (origin: string) => boolean {
  const all = patterns.includes('*');
  const rules = patterns.filter((pattern) => pattern !== '*').map(parsePattern);
  return (header) => {
    if (all || header === '') return true;
    const origin = parseOrigin(header);
    return rules.some((rule) => rule(origin));
  };
}

interface Origin {
  readonly scheme: string;
  readonly host: string;
  /** The scheme's own port where none was said; "" for schemes without one. */
  readonly port: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443' };

/** "null", and whatever is not an origin, is only equal to itself. */
function parseOrigin(text: string): Origin | string {
  const lower = text.toLowerCase();
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]/?#@]+\]|[^:/?#@]+)(?::(\d+|\*))?\/?$/.exec(lower);
  if (parts === null) return lower;
  const [, scheme = '', host = '', port] = parts;
  return { scheme, host, port: port ?? DEFAULT_PORTS[scheme] ?? '' };
}

function parsePattern(pattern: string): (origin: Origin | string) => boolean {
  const wanted = parseOrigin(pattern);
  if (typeof wanted === 'string') return (origin) => origin === wanted;
  const host = wildcard(wanted.host);
  return (origin) =>
    typeof origin !== 'string' &&
    origin.scheme === wanted.scheme &&
    (wanted.port === '*' || origin.port === wanted.port) &&
    host(origin.host);
}

/** `*` is any run of characters. Greedy from both ends, so the work is linear in the text. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const middle = text.slice(first.length, text.length - last.length);
    let at = 0;
    return rest.every((part) => {
      const found = middle.indexOf(part, at);
      at = found + part.length;
      return found !== -1;
    });
  };
}
