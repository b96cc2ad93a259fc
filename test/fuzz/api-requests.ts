import type { Random } from '../../packages/protocol/src/random.testing.ts';
import { payload, type Command } from './commands.ts';
import { channelName } from './names.ts';

/** Of nobody but those that cases bring: the canary is another user. */
const users = ['', '42', '43', 'nobody', '\u0000', 'x'.repeat(2000)];

const numbers = [0, 1, -1, 20, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 1.5];
const codes = [0, 1, 1000, 1005, 3000, 3001, 3503, 4000, 4999, 5000, 65_535, 65_536, 2 ** 32 - 1];

const maybe = (random: Random, n: number, fields: () => Command): Command =>
  random.oneIn(n) ? fields() : {};

const tags = (random: Random): Command => ({
  tags: { a: '1', [random.pick(['', '__proto__', 'constructor', random.text()])]: random.text() },
});

const publicationFields = (random: Random): Command => ({
  ...(random.oneIn(8)
    ? { b64data: random.pick(['AAAA', 'e30=', '====', '', random.text()]) }
    : { data: payload(random) }),
  ...maybe(random, 4, () => tags(random)),
  // Few keys: each is kept for minutes.
  ...maybe(random, 4, () => ({ idempotency_key: random.pick(['k', 'l', '', '__proto__']) })),
  ...maybe(random, 6, () => ({ version: random.pick(numbers), version_epoch: random.text() })),
  ...maybe(random, 6, () => ({ skip_history: true, delta: random.oneIn(2) })),
});

const target = (random: Random): Command => ({
  user: random.pick(users),
  ...maybe(random, 8, () => ({ client: random.text(), session: random.text() })),
});

const position = (random: Random): Command => ({ offset: random.pick(numbers), epoch: random.text() });

const channelOnly = (random: Random): Command => ({ channel: channelName(random) });

const patterns = [
  '*',
  '',
  'a*',
  '*a*b*c*',
  '{a,b}*',
  '[!a]',
  '[',
  '{',
  '\\',
  '[z-a]',
  '*'.repeat(250),
  '?'.repeat(257),
];

const page = (random: Random): Command =>
  maybe(random, 3, () => ({
    limit: random.pick(numbers),
    cursor: random.pick(['', 'YQ', '7', random.text()]),
  }));

const requests: Readonly<Record<string, (random: Random) => Command>> = {
  publish: (random) => ({ ...channelOnly(random), ...publicationFields(random) }),
  broadcast: (random) => ({
    channels: Array.from({ length: random.int(random.oneIn(20) ? 2000 : 5) }, () => channelName(random)),
    ...publicationFields(random),
  }),
  subscribe: (random) => ({
    ...channelOnly(random),
    ...target(random),
    ...maybe(random, 4, () => ({
      info: payload(random),
      data: payload(random),
      expire_at: random.pick(numbers),
    })),
    ...maybe(random, 4, () => ({ recover_since: position(random) })),
    ...maybe(random, 4, () => ({
      override: { presence: { value: true }, force_recovery: { value: random.oneIn(2) } },
    })),
  }),
  unsubscribe: (random) => ({ ...channelOnly(random), ...target(random) }),
  disconnect: (random) => ({
    ...target(random),
    ...maybe(random, 2, () => ({
      disconnect: {
        code: random.pick(codes),
        reason: random.pick(['', 'why', 'x'.repeat(5000), random.text()]),
      },
    })),
    ...maybe(random, 6, () => ({ whitelist: [random.text()] })),
  }),
  refresh: (random) => ({
    ...target(random),
    expired: random.oneIn(4),
    expire_at: random.pick([...numbers, 2_000_000_000]),
    ...maybe(random, 4, () => ({ info: payload(random) })),
  }),
  presence: (random) => ({ ...channelOnly(random), ...page(random) }),
  presence_stats: channelOnly,
  history: (random) => ({
    ...channelOnly(random),
    limit: random.pick(numbers),
    reverse: random.oneIn(2),
    ...maybe(random, 3, () => ({ since: position(random) })),
  }),
  history_remove: channelOnly,
  channels: (random) => ({ pattern: random.pick([...patterns, random.text()]), ...page(random) }),
  info: () => ({}),
  rpc: (random) => ({ method: random.text(), params: payload(random) }),
  batch: (random) => ({
    commands: Array.from({ length: random.int(8) }, () => {
      const name = random.pick(Object.keys(requests).filter((key) => key !== 'batch'));
      return { [name]: requests[name]?.(random) };
    }),
    parallel: random.oneIn(2),
  }),
};

const names = Object.keys(requests);

/** A method of the server API with its request. */
export function apiRequest(random: Random): { name: string; request: Command } {
  const name = random.pick(names);
  return { name, request: requests[name]?.(random) ?? {} };
}
