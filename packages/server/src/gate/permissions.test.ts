import { describe, expect, it } from 'vitest';
import type { ChannelOptions } from '../channels/options.ts';
import { createGate } from './gate.ts';
import { clientWith, codeOf, connectQuestion, policyWith, subscribeRequest } from './testing.ts';

/** Everything that could be asked of a channel is there, so that only permissions decide. */
const features: Partial<ChannelOptions> = { presence: true, history_size: 10, history_ttl: 60_000 };

const data = Buffer.from('1');

/**
 * Who is let in, for every set of options: c `_for_client`, s `_for_subscriber`, a `_for_anonymous`. A name of the
 * right side says who: user, subscribed user, anonymous, subscribed anonymous.
 */
const letIn: Readonly<Record<string, readonly string[]>> = {
  '': [],
  c: ['user', 'subscribed user'],
  s: ['subscribed user'],
  a: [],
  cs: ['user', 'subscribed user'],
  ca: ['user', 'subscribed user', 'anonymous', 'subscribed anonymous'],
  sa: ['subscribed user', 'subscribed anonymous'],
  csa: ['user', 'subscribed user', 'anonymous', 'subscribed anonymous'],
};
const everybody = ['user', 'subscribed user', 'anonymous', 'subscribed anonymous'];

const commands = {
  publish: (gate: ReturnType<typeof createGate>, client: ReturnType<typeof clientWith>) =>
    gate.publish(client, 'x', data),
  presence: (gate: ReturnType<typeof createGate>, client: ReturnType<typeof clientWith>) =>
    gate.presence(client, 'x'),
  history: (gate: ReturnType<typeof createGate>, client: ReturnType<typeof clientWith>) =>
    gate.history(client, 'x'),
};

function gateFor(what: string, set: string, insecure: boolean): ReturnType<typeof createGate> {
  const options = {
    ...features,
    [`allow_${what}_for_client`]: set.includes('c'),
    [`allow_${what}_for_subscriber`]: set.includes('s'),
    [`allow_${what}_for_anonymous`]: set.includes('a'),
  };
  const policy = policyWith({ insecure }, options);
  return createGate(() => policy);
}

function clientOf(who: string): ReturnType<typeof clientWith> {
  return clientWith({
    user: who.includes('user') ? '42' : '',
    subscribed: who.includes('subscribed') ? ['x'] : ['y'],
  });
}

describe('who may', () => {
  for (const [what, command] of Object.entries(commands)) {
    for (const insecure of [false, true]) {
      it.each(Object.entries(letIn))(
        `${what}${insecure ? ', insecure' : ''}, options %j: %j`,
        async (set, those) => {
          const gate = gateFor(what, set, insecure);
          for (const who of everybody) {
            const expected = insecure || those.includes(who) ? 0 : 103;
            expect([who, await codeOf(() => command(gate, clientOf(who)))]).toStrictEqual([who, expected]);
          }
        },
      );
    }
  }

  it.each([
    // options, user, anonymous
    ['', 103, 103],
    ['c', 0, 103],
    ['a', 103, 103],
    ['ca', 0, 0],
  ])('subscribe, options %j', async (set, user, anonymous) => {
    const gate = gateFor('subscribe', set, false);
    const ask = (who: string) => codeOf(() => gate.subscribe(clientOf(who), subscribeRequest()));
    expect([await ask('user'), await ask('anonymous')]).toStrictEqual([user, anonymous]);
    // The same, said with the connect command.
    for (const [name, code] of [['42', user] as const, ['', anonymous] as const]) {
      const policy = policyWith(
        { allow_anonymous_connect_without_token: true, user_id_http_header: 'X-User' },
        { allow_subscribe_for_client: set.includes('c'), allow_subscribe_for_anonymous: set.includes('a') },
      );
      const client = clientWith({ user: '', headers: new Map(name === '' ? [] : [['x-user', name]]) });
      const question = connectQuestion({ subs: { x: subscribeRequest() } });
      const grant = await createGate(() => policy).connecting(client, question);
      expect([name, [...grant.subscriptions.keys()]]).toStrictEqual([name, code === 0 ? ['x'] : []]);
    }
  });

  it('subscribe, insecure', async () => {
    const gate = gateFor('subscribe', '', true);
    expect(await codeOf(() => gate.subscribe(clientOf('user'), subscribeRequest()))).toBe(0);
    expect(await codeOf(() => gate.subscribe(clientOf('anonymous'), subscribeRequest()))).toBe(0);
  });

  it('one option opens one thing', async () => {
    for (const what of ['subscribe', 'publish', 'presence', 'history']) {
      const gate = gateFor(what, 'csa', false);
      for (const [other, command] of Object.entries(commands)) {
        expect([what, other, await codeOf(() => command(gate, clientOf('subscribed user')))]).toStrictEqual([
          what,
          other,
          other === what ? 0 : 103,
        ]);
      }
    }
  });

  it('nothing at all without options', async () => {
    const gate = gateFor('none', '', false);
    for (const who of everybody) {
      const client = clientOf(who);
      expect(await codeOf(() => gate.subscribe(client, subscribeRequest()))).toBe(103);
      for (const command of Object.values(commands))
        expect(await codeOf(() => command(gate, client))).toBe(103);
      expect(await codeOf(() => gate.rpc(client, 'ping', undefined))).toBe(108);
      expect(await codeOf(() => gate.connecting(client, connectQuestion()))).toBe(3501);
    }
  });
});

describe('what is off is not available, whoever asks', () => {
  it.each([
    [false, 'user'],
    [true, 'user'],
    [true, 'anonymous'],
  ])('insecure %j, %s', async (insecure, who) => {
    const policy = policyWith(
      { insecure },
      { allow_presence_for_client: true, allow_history_for_client: true, history_size: 10 },
    );
    const gate = createGate(() => policy);
    const client = clientOf(who);
    expect(await codeOf(() => gate.presence(client, 'x'))).toBe(108);
    expect(await codeOf(() => gate.history(client, 'x'))).toBe(108);
  });

  it('before it is asked who asks', async () => {
    const gate = createGate(() => policyWith());
    expect(await codeOf(() => gate.presence(clientWith(), 'x'))).toBe(108);
    expect(await codeOf(() => gate.history(clientWith(), 'x'))).toBe(108);
  });
});

describe('names', () => {
  const rows: readonly [string, number][] = [
    ['x', 0],
    ['ns:x', 0],
    ['other:x', 102],
    ['other:é', 102],
    ['é', 107],
    ['a\0b', 107],
    ['a\r\nb', 107],
    ['\x7f', 107],
    ['\ud800', 107],
    ['x'.repeat(255), 0],
    ['x'.repeat(256), 107],
    ['x'.repeat(10_000), 107],
    ['digits:12', 0],
    ['digits:ab', 107],
    ['$digits:ab', 107],
    ['digits:１２', 107],
    ['slow:' + 'a'.repeat(240), 0],
    ['slow:' + 'a'.repeat(240) + '!', 107],
  ];
  const open: Partial<ChannelOptions> = {
    ...features,
    allow_subscribe_for_client: true,
    allow_publish_for_client: true,
    allow_presence_for_client: true,
    allow_history_for_client: true,
  };
  for (const insecure of [false, true]) {
    const policy = policyWith({ insecure }, open, {
      ns: open,
      digits: { ...open, channel_regex: '^[0-9]+$' },
      slow: { ...open, channel_regex: '^(a+)+$' },
    });
    const gate = createGate(() => policy);
    it.each(rows)(`%j: %j${insecure ? ', insecure' : ''}`, async (channel, code) => {
      const client = clientWith();
      expect(await codeOf(() => gate.subscribe(client, subscribeRequest({ channel })))).toBe(code);
      expect(await codeOf(() => gate.publish(client, channel, data))).toBe(code);
      expect(await codeOf(() => gate.presence(client, channel))).toBe(code);
      expect(await codeOf(() => gate.history(client, channel))).toBe(code);
    });
  }

  it('that are too long are that first for a subscribe, and of an unknown namespace first elsewhere', async () => {
    const gate = createGate(() => policyWith());
    const channel = `other:${'x'.repeat(255)}`;
    expect(await codeOf(() => gate.subscribe(clientWith(), subscribeRequest({ channel })))).toBe(107);
    expect(await codeOf(() => gate.publish(clientWith(), channel, data))).toBe(102);
    expect(await codeOf(() => gate.presence(clientWith(), channel))).toBe(102);
    expect(await codeOf(() => gate.history(clientWith(), channel))).toBe(102);
  });
});
