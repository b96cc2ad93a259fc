import { Disconnect } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { sign } from '../auth/testing.ts';
import type { ChannelOptions } from '../channels/options.ts';
import { connecting } from './connect.ts';
import { createGate } from './gate.ts';
import type { ClientSection, Policy } from './policy.ts';
import { clientWith, codeOf, connectQuestion, policyWith, subscribeRequest, T } from './testing.ts';

const newcomer = clientWith({ user: '' });
const x = { x: subscribeRequest() };

async function outcome(policy: Policy, token: string, client = newcomer): Promise<string | number> {
  try {
    return (await createGate(() => policy).connecting(client, connectQuestion({ token }))).user;
  } catch (error) {
    return codeOf(() => Promise.reject(error as Error));
  }
}

describe('outcome by credentials', () => {
  const anonymous = { allow_anonymous_connect_without_token: true };
  const noAnonymousTokens = { disallow_anonymous_connection_tokens: true };
  const insecure = { insecure: true };
  const header = { user_id_http_header: 'X-User-Id' };
  const rows: readonly [string, Partial<ClientSection>, string, string | number][] = [
    ['a good token', {}, sign({ sub: '42' }), '42'],
    ['a good token, insecure', insecure, sign({ sub: '42' }), '42'],
    ['a good token of nobody', {}, sign({}), ''],
    ['a good token of nobody, disallowed', noAnonymousTokens, sign({}), 3507],
    ['a good token of nobody, disallowed, insecure', { ...noAnonymousTokens, ...insecure }, sign({}), 3507],
    ['a good token of somebody, nobody disallowed', noAnonymousTokens, sign({ sub: '42' }), '42'],
    ['a bad token', {}, 'nonsense', 3500],
    ['a bad token, anonymous allowed', anonymous, 'nonsense', 3500],
    ['a bad token, insecure', insecure, 'nonsense', 3500],
    ['another secret', {}, sign({ sub: '42' }, 'another'), 3500],
    ['a subscription token', {}, sign({ sub: '42', channel: 'x' }), 3500],
    ['a user that is a number', {}, sign({ sub: 42 }), 3500],
    ['an expired token', {}, sign({ sub: '42', exp: T - 1 }), 109],
    ['an expired token, insecure', insecure, sign({ sub: '42', exp: T - 1 }), 109],
    ['a token not yet valid', {}, sign({ sub: '42', nbf: T + 1 }), 109],
    ['a connection over already', {}, sign({ sub: '42', exp: T + 1, expire_at: T - 1 }), 110],
    [
      'a connection over already, insecure',
      insecure,
      sign({ sub: '42', exp: T + 1, expire_at: T - 1 }),
      '42',
    ],
    ['an expired token of nobody, disallowed', noAnonymousTokens, sign({ exp: T - 1 }), 109],
    ['nothing', {}, '', 3501],
    ['nothing, anonymous allowed', anonymous, '', ''],
    ['nothing, anonymous allowed, anonymous tokens not', { ...anonymous, ...noAnonymousTokens }, '', ''],
    ['nothing, insecure', insecure, '', ''],
    ['nothing, a header wanted', header, '', 3501],
  ];
  it.each(rows)('%s', async (_, client, token, expected) => {
    expect(await outcome(policyWith(client), token)).toBe(expected);
  });

  it('takes the user from a header, a real one', async () => {
    const behindProxy = clientWith({ user: '', headers: new Map([['x-user-id', '42']]) });
    const policy = policyWith(header);
    expect(await outcome(policy, '', behindProxy)).toBe('42');
    expect(await outcome(policy, sign({ sub: '43' }), behindProxy)).toBe('43');
    expect(await outcome(policy, 'nonsense', behindProxy)).toBe(3500);
    expect(await outcome(policyWith(), '', behindProxy)).toBe(3501);
    expect(await outcome(policy, '', clientWith({ user: '', headers: new Map([['x-user-id', '']]) }))).toBe(
      3501,
    );
    const emulated = connectQuestion({ emulatedHeaders: { 'x-user-id': '42', 'X-User-Id': '42' } });
    await expect(connecting(policy, newcomer, emulated)).rejects.toThrow(Disconnect);
  });
});

describe('what a token brings', () => {
  const connect = (claims: string | object, client: Partial<ClientSection> = {}) =>
    connecting(policyWith(client), newcomer, connectQuestion({ token: sign(claims) }));

  it('its payloads as they stand in it', async () => {
    const raw = '{"b":1.0,"a":12345678901234567890}';
    expect(await connect(`{"sub":"42","info":${raw},"meta": ${raw} }`)).toStrictEqual({
      user: '42',
      connInfo: new Uint8Array(Buffer.from(raw)),
      meta: new Uint8Array(Buffer.from(raw)),
      subscriptions: new Map(),
    });
  });

  it('its end, which the client may put off', async () => {
    const at = (seconds: number) => ({ expireAt: seconds, refreshBy: 'client' });
    expect(await connect({ sub: '42', exp: T + 60 })).toMatchObject(at(T + 60));
    expect(await connect({ sub: '42', exp: T + 60, expire_at: T + 90 })).toMatchObject(at(T + 90));
    for (const grant of [
      await connect({ sub: '42', exp: T + 60, expire_at: 0 }),
      await connect({ sub: '42' }),
      await connect({ sub: '42', exp: T + 60 }, { insecure: true }),
    ]) {
      expect(grant).not.toHaveProperty('expireAt');
      expect(grant).not.toHaveProperty('refreshBy');
    }
  });
});

describe('server-side subscriptions of a token', () => {
  const kept = { history_size: 10, history_ttl: 60_000 };
  const history = { size: 10, ttlMs: 60_000, metaTtlMs: 2_592_000_000 };
  const policy = policyWith(
    {},
    { presence: true },
    {
      news: { ...kept, force_recovery: true, join_leave: true, channel_regex: '^[a-z]+$' },
      deltas: { allowed_delta_types: ['fossil'] },
      map: { subscription_type: 'map' },
    },
  );
  const connect = (claims: object, subs = {}) =>
    connecting(policy, newcomer, connectQuestion({ token: sign({ sub: '42', ...claims }), subs }));

  it('come from channels', async () => {
    const { subscriptions, remember } = await connect({ channels: ['news:a', '$x', 'x#1'] });
    expect([...subscriptions.keys()]).toStrictEqual(['news:a', '$x', 'x#1']);
    expect(subscriptions.get('news:a')).toMatchObject({
      history,
      positioned: true,
      recoverable: true,
      joinLeave: true,
    });
    expect(subscriptions.get('$x')).toMatchObject({ presence: true, positioned: false });
    expect(remember).toBe('$x\nnews:a\nx#1');
  });

  it('come from subs, which win, with what they change', async () => {
    const subs = {
      'news:a': { info: [1.5], b64data: 'AAE=', override: { force_recovery: { value: false } } },
      x: { override: { presence: { value: false } } },
    };
    const { subscriptions } = await connect({ channels: ['y'], subs });
    expect([...subscriptions.keys()]).toStrictEqual(['news:a', 'x']);
    expect(subscriptions.get('news:a')).toMatchObject({
      recoverable: false,
      chanInfo: new Uint8Array(Buffer.from('[1.5]')),
      data: new Uint8Array([0, 1]),
    });
    expect(subscriptions.get('x')).toMatchObject({ presence: false });
  });

  it.each<[object, number]>([
    [{ channels: ['other:x'] }, 102],
    [{ subs: { 'other:x': {} } }, 102],
    [{ channels: ['map:x'] }, 107],
    [{ channels: [''] }, 107],
    [{ channels: ['a\0b'] }, 107],
    [{ channels: ['a\nb'] }, 107],
    [{ channels: ['x'.repeat(4097)] }, 107],
    [{ channels: ['привет', 'x'.repeat(300), 'news:NOT-LOWER'] }, 0],
  ])('keep the rules for backends, not those for clients: %j', async (claims, expected) => {
    expect(await codeOf(() => connect(claims))).toBe(expected);
  });

  it('may be sent as deltas where the client asks for it', async () => {
    const ask = (request: object, channel = 'deltas:x') =>
      connect({ channels: [channel] }, { [channel]: subscribeRequest(request) });
    const tf = { key: 'k', cmp: 'ex' };
    expect((await ask({ delta: 'fossil' })).subscriptions.get('deltas:x')?.delta).toBe('fossil');
    expect((await ask({ delta: 'fossil', tf })).subscriptions.get('deltas:x')?.delta).toBeUndefined();
    expect((await ask({})).subscriptions.get('deltas:x')?.delta).toBeUndefined();
    expect((await ask({ delta: 'fossil' }, 'x')).subscriptions.get('x')?.delta).toBeUndefined();
    expect((await connect({ channels: ['deltas:x'] })).subscriptions.get('deltas:x')?.delta).toBeUndefined();
  });
});

describe('personal channel', () => {
  const personal = (personal_channel_namespace = '', single_connection = false): Partial<ClientSection> => ({
    subscribe_to_user_personal_channel: { enabled: true, personal_channel_namespace, single_connection },
  });
  const connect = (client: Partial<ClientSection>, claims: object = { sub: '42' }) =>
    connecting(
      policyWith(client, {}, { me: { presence: true } }),
      newcomer,
      connectQuestion({ token: sign(claims) }),
    );

  it('is subscribed for whoever has a name', async () => {
    expect([...(await connect(personal())).subscriptions.keys()]).toStrictEqual(['#42']);
    const { subscriptions } = await connect(personal('me'));
    expect(subscriptions.get('me:#42')).toMatchObject({ presence: true });
    expect((await connect(personal(), {})).subscriptions.size).toBe(0);
    expect((await connect({})).subscriptions.size).toBe(0);
  });

  it('is subscribed for users of a header too', async () => {
    const policy = policyWith({ ...personal(), user_id_http_header: 'x-user' });
    const client = clientWith({ user: '', headers: new Map([['x-user', '42']]) });
    expect([...(await connecting(policy, client, connectQuestion())).subscriptions.keys()]).toStrictEqual([
      '#42',
    ]);
  });

  it('gives way to what a token says of it, and is not part of what is remembered', async () => {
    const grant = await connect(personal(), { sub: '42', subs: { '#42': { info: 1 } } });
    expect(grant.subscriptions.get('#42')).toHaveProperty('chanInfo');
    expect(grant.remember).toBe('#42');
    expect(await connect(personal())).not.toHaveProperty('remember');
  });

  it('tells of a namespace that is not there', async () => {
    expect(await codeOf(() => connect(personal('other')))).toBe(102);
  });

  it('may be for one connection only', async () => {
    expect(await connect(personal('me', true))).toHaveProperty('singleConnectionChannel', 'me:#42');
    expect(await connect(personal('me', true), {})).not.toHaveProperty('singleConnectionChannel');
    expect(await connect(personal('me'))).not.toHaveProperty('singleConnectionChannel');
  });
});

describe('channels that the client names', () => {
  const open: Partial<ChannelOptions> = { allow_subscribe_for_client: true };
  const limited = { ...open, allow_subscribe_for_anonymous: true, allow_user_limited_channels: true };
  const namespaces = {
    open,
    all: { ...open, allow_subscribe_for_anonymous: true },
    limited,
    digits: { ...open, channel_regex: '^[0-9]+$' },
    map: { ...open, subscription_type: 'map' },
  };
  it.each([
    // channel, user, subscribed (a code where the connection ends)
    ['x', '42', false],
    ['open:x', '42', true],
    ['open:x', '', false],
    ['all:x', '', true],
    ['$open:x', '42', false],
    ['open:é', '42', false],
    [`open:${'x'.repeat(255)}`, '42', false],
    ['digits:1', '42', true],
    ['digits:a', '42', false],
    ['map:x', '42', false],
    ['limited:x', '42', true],
    ['limited:x#42', '42', true],
    ['limited:x#43', '42', false],
    ['limited:x#', '', false],
    ['other:x', '42', 3501],
    ['other:x', '', 3501],
  ])('%j for %j: %j', async (channel, user, expected) => {
    const policy = policyWith({ allow_anonymous_connect_without_token: true }, {}, namespaces);
    const token = user === '' ? '' : sign({ sub: user });
    const question = connectQuestion({ token, subs: { [channel]: subscribeRequest() } });
    const code = await codeOf(() => connecting(policy, newcomer, question));
    expect(code).toBe(typeof expected === 'number' ? expected : 0);
    if (code !== 0) return;
    const grant = await connecting(policy, newcomer, question);
    expect(grant.subscriptions.has(channel)).toBe(expected);
    expect(grant).not.toHaveProperty('remember');
  });

  it('are all but private ones under insecure', async () => {
    const policy = policyWith({ insecure: true }, {}, { limited: { allow_user_limited_channels: true } });
    const subs = { ...x, $x: subscribeRequest(), 'limited:x#43': subscribeRequest() };
    const named = await connecting(policy, newcomer, connectQuestion({ token: sign({ sub: '42' }), subs }));
    expect([...named.subscriptions.keys()]).toStrictEqual(['x', 'limited:x#43']);
  });

  it('do not change what the token says of them', async () => {
    const token = sign({ sub: '42', subs: { x: { info: 1 } } });
    const { subscriptions } = await connecting(
      policyWith({}, open),
      newcomer,
      connectQuestion({ token, subs: x }),
    );
    expect(subscriptions.get('x')).toHaveProperty('chanInfo');
    expect(subscriptions.size).toBe(1);
  });

  it('get no mode for the asking', async () => {
    const options = { ...open, history_size: 1, history_ttl: 1000, allow_recovery: true, join_leave: true };
    const subs = { x: subscribeRequest({ recoverable: true, positioned: true, joinLeave: true }) };
    const question = connectQuestion({ token: sign({ sub: '42' }), subs });
    const { subscriptions } = await connecting(policyWith({}, options), newcomer, question);
    expect(subscriptions.get('x')).toMatchObject({
      recoverable: false,
      positioned: false,
      pushJoinLeave: false,
    });
  });
});
