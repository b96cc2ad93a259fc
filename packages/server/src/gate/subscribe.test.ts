import { describe, expect, it } from 'vitest';
import { sign } from '../auth/testing.ts';
import type { ChannelOptions } from '../channels/options.ts';
import { createGate } from './gate.ts';
import type { ClientSection, Policy } from './policy.ts';
import { clientWith, codeOf, policyWith, subscribeRequest, T } from './testing.ts';
import { subscribe } from './subscribe.ts';

const open: Partial<ChannelOptions> = { allow_subscribe_for_client: true };
const kept: Partial<ChannelOptions> = { ...open, history_size: 10, history_ttl: 60_000 };

type Request = Parameters<typeof subscribeRequest>[0];

async function code(policy: Policy, request: Request, client = clientWith()): Promise<number> {
  return codeOf(() => createGate(() => policy).subscribe(client, subscribeRequest(request)));
}

describe('kinds of channels', () => {
  it.each([
    [{ type: 4 }, 108],
    [{ type: 4, channel: 'other:x' }, 108],
    [{ type: 1 }, 103],
    [{ type: 1, channel: 'other:x' }, 102],
    [{ type: 1, channel: 'é' }, 107],
    [{ channel: 'map:x' }, 103],
    [{ channel: 'map:x', type: 1 }, 103],
    [{ channel: 'stream:x' }, 0],
  ])('%j: %j', async (request, expected) => {
    const namespaces = {
      map: { ...open, subscription_type: 'map' },
      stream: { ...open, subscription_type: 'stream' },
    };
    expect(await code(policyWith({ insecure: true }, open, namespaces), request)).toBe(expected);
  });
});

describe('private channels', () => {
  const limited = { ...open, allow_user_limited_channels: true };
  it.each<[Partial<ClientSection>, string, number]>([
    [{}, '$x', 103],
    [{ insecure: true }, '$x', 103],
    [{}, '$ns:x', 103],
    [{}, '$x#42', 103],
    [{}, 'x$', 0],
    [{}, 'ns:$x', 0],
  ])('%j %j: %j', async (client, channel, expected) => {
    const policy = policyWith(client, limited, { ns: limited });
    expect(await code(policy, { channel })).toBe(expected);
    expect(await code(policy, { channel, token: sign({ sub: '42', channel }) })).toBe(0);
  });
});

describe('tokens', () => {
  const other = '00000000-0000-4000-8000-000000000000';
  const me = clientWith().id;
  const rows: readonly [string, string, number, Partial<Parameters<typeof clientWith>[0]>?][] = [
    ['good', sign({ sub: '42', channel: 'x' }), 0],
    ['good, of this client', sign({ sub: '42', channel: 'x', client: me }), 0],
    ['good, anonymous', sign({ channel: 'x' }), 0, { user: '' }],
    ['good, anonymous, said', sign({ sub: '', channel: 'x' }), 0, { user: '' }],
    ['expired', sign({ sub: '42', channel: 'x', exp: T - 1 }), 109],
    ['not yet valid', sign({ sub: '42', channel: 'x', nbf: T + 1 }), 109],
    ['expired, and of another channel', sign({ sub: '42', channel: 'y', exp: T - 1 }), 109],
    ['another secret', sign({ sub: '42', channel: 'x' }, 'another'), 103],
    ['nonsense', 'nonsense', 103],
    ['of a connection', sign({ sub: '42' }), 103],
    ['of another channel', sign({ sub: '42', channel: 'y' }), 3500],
    ['of a channel that only looks the same', sign({ sub: '42', channel: 'x ' }), 3500],
    ['of the private channel', sign({ sub: '42', channel: '$x' }), 3500],
    ['of another user', sign({ sub: '43', channel: 'x' }), 3500],
    ['of nobody', sign({ channel: 'x' }), 3500],
    ['of a user, for an anonymous client', sign({ sub: '42', channel: 'x' }), 3500, { user: '' }],
    ['of another client', sign({ sub: '42', channel: 'x', client: other }), 3500],
    ['over already', sign({ sub: '42', channel: 'x', expire_at: T - 1 }), 110],
    ['over now', sign({ sub: '42', channel: 'x', expire_at: T }), 110],
  ];

  it.each(rows)('%s', async (_, token, expected, client) => {
    expect(await code(policyWith(), { token }, clientWith(client))).toBe(expected);
    // An open channel does not help a bad token.
    expect(await code(policyWith({}, open), { token }, clientWith(client))).toBe(expected);
  });

  it.each(rows)('%s, insecure: no end, otherwise the same', async (_, token, expected, client) => {
    const policy = policyWith({ insecure: true });
    expect(await code(policy, { token }, clientWith(client))).toBe(expected === 110 ? 0 : expected);
  });

  it('do not make up for a bad name', async () => {
    expect(await code(policyWith(), { channel: 'é', token: sign({ sub: '42', channel: 'é' }) })).toBe(107);
    expect(await code(policyWith(), { channel: 'o:x', token: sign({ sub: '42', channel: 'o:x' }) })).toBe(
      102,
    );
  });

  it('bring what they say', async () => {
    const policy = policyWith({}, { ...kept, presence: true });
    const override = {
      presence: { value: false },
      force_recovery: { value: true },
      join_leave: { value: true },
    };
    const token = sign(
      `{"sub":"42","channel":"x","exp":${T + 60},"info":{"a":1.0},"b64data":"AAE=","override":${JSON.stringify(override)}}`,
    );
    expect(await subscribe(policy, clientWith(), subscribeRequest({ token }))).toStrictEqual({
      presence: false,
      joinLeave: true,
      pushJoinLeave: false,
      positioned: true,
      recoverable: true,
      recoveryMode: 'stream',
      autoCacheRecover: false,
      history: { size: 10, ttlMs: 60_000, metaTtlMs: 2_592_000_000 },
      chanInfo: new Uint8Array(Buffer.from('{"a":1.0}')),
      data: new Uint8Array([0, 1]),
      expireAt: T + 60,
    });
  });

  it('never end under insecure, nor with expire_at 0', async () => {
    const token = sign({ sub: '42', channel: 'x', exp: T + 60 });
    const forever = sign({ sub: '42', channel: 'x', exp: T + 60, expire_at: 0 });
    const grant = (policy: Policy, text: string) =>
      subscribe(policy, clientWith(), subscribeRequest({ token: text }));
    expect(await grant(policyWith(), token)).toHaveProperty('expireAt', T + 60);
    expect(await grant(policyWith(), forever)).not.toHaveProperty('expireAt');
    expect(await grant(policyWith({ insecure: true }), token)).not.toHaveProperty('expireAt');
  });

  it('say in the log why they are refused', async () => {
    const said: unknown[] = [];
    const policy = { ...policyWith(), log: { info: (...line: unknown[]) => void said.push(line) } };
    await code(policy, { token: sign({ sub: '43', channel: 'x', info: 'canary' }) });
    await code(policy, { token: sign({ sub: '42', channel: 'x' }, 'canary') });
    expect(said).toHaveLength(2);
    expect(JSON.stringify(said)).not.toContain('canary');
    expect(JSON.stringify(said)).toContain(clientWith().id);
  });
});

describe('user-limited channels', () => {
  const on = { allow_user_limited_channels: true };
  it.each<[Partial<ChannelOptions>, string, string, number]>([
    [on, 'd#42', '42', 0],
    [on, 'd#41,42', '42', 0],
    [on, 'd#41', '42', 103],
    [on, 'd#', '', 0],
    [on, 'd#42', '', 103],
    [on, 'd', '42', 103],
    // Who is not listed does not fall through to what everybody may.
    [{ ...on, ...open, allow_subscribe_for_anonymous: true }, 'd#41', '42', 103],
    [{ ...on, ...open, allow_subscribe_for_anonymous: true }, 'd#41', '', 103],
    [{ ...on, ...open }, 'd', '42', 0],
    // Without the option it is an ordinary name.
    [{}, 'd#42', '42', 103],
    [open, 'd#41', '42', 0],
  ])('%j %j for %j: %j', async (options, channel, user, expected) => {
    expect(await code(policyWith({}, options), { channel }, clientWith({ user }))).toBe(expected);
    expect(await code(policyWith({ insecure: true }, options), { channel }, clientWith({ user }))).toBe(0);
  });
});

describe('modes', () => {
  const all = { positioned: true, recoverable: true, joinLeave: true, delta: 'fossil' };
  const tf = { key: 'k', cmp: 'eq', val: 'v' };
  const rows: readonly [string, Partial<ChannelOptions>, Request, object][] = [
    ['none without permission', { ...kept, join_leave: true, presence: true }, all, {}],
    ['allow_positioning', { ...kept, allow_positioning: true }, all, { positioned: true }],
    ['allow_recovery', { ...kept, allow_recovery: true }, all, { positioned: true, recoverable: true }],
    ['allow_recovery, not asked', { ...kept, allow_recovery: true }, {}, {}],
    ['allow_positioning, recovery asked', { ...kept, allow_positioning: true }, { recoverable: true }, {}],
    ['allow_recovery, position asked', { ...kept, allow_recovery: true }, { positioned: true }, {}],
    [
      'history access',
      { ...kept, allow_history_for_client: true },
      all,
      { positioned: true, recoverable: true },
    ],
    [
      'history access for subscribers',
      { ...kept, allow_history_for_subscriber: true },
      { positioned: true },
      { positioned: true },
    ],
    [
      'history access without history',
      { ...open, allow_history_for_client: true, allow_recovery: true },
      all,
      {},
    ],
    ['forced', { ...kept, force_recovery: true }, {}, { positioned: true, recoverable: true }],
    [
      'join_leave, presence access',
      { ...open, join_leave: true, allow_presence_for_client: true },
      all,
      { pushJoinLeave: true },
    ],
    [
      'join_leave, presence access for subscribers',
      { ...open, join_leave: true, allow_presence_for_subscriber: true },
      all,
      { pushJoinLeave: true },
    ],
    ['join_leave off', { ...open, allow_presence_for_client: true }, all, {}],
    ['join_leave not asked', { ...open, join_leave: true, allow_presence_for_client: true }, {}, {}],
    [
      'join_leave forced',
      { ...open, join_leave: true, force_push_join_leave: true },
      {},
      { pushJoinLeave: true },
    ],
    ['delta', { ...open, allowed_delta_types: ['fossil'] }, all, { delta: 'fossil' }],
    ['delta not asked', { ...open, allowed_delta_types: ['fossil'] }, {}, {}],
    [
      'delta and filter',
      { ...open, allowed_delta_types: ['fossil'], allow_tags_filter: true },
      { ...all, tf },
      {},
    ],
  ];
  const off = { positioned: false, recoverable: false, pushJoinLeave: false };

  it.each(rows)('%s', async (_, options, request, expected) => {
    const policy = policyWith({}, options);
    for (const token of ['', sign({ sub: '42', channel: 'x' })]) {
      const grant = await subscribe(policy, clientWith(), subscribeRequest({ ...request, token }));
      expect(grant).toMatchObject({ ...off, ...expected });
      expect(grant.delta).toBe((expected as { delta?: string }).delta);
    }
  });

  it.each([
    // options, user, whether history access counts
    [{ allow_history_for_client: true }, '', false],
    [{ allow_history_for_subscriber: true }, '', false],
    [{ allow_history_for_client: true, allow_history_for_anonymous: true }, '', true],
    [{ allow_history_for_anonymous: true }, '', false],
  ])('anonymous needs its own permission: %j', async (options, user, expected) => {
    const policy = policyWith({}, { ...kept, ...options, allow_subscribe_for_anonymous: true });
    const grant = await subscribe(policy, clientWith({ user }), subscribeRequest({ positioned: true }));
    expect(grant.positioned).toBe(expected);
  });

  it('insecure permits all that the channel has', async () => {
    const policy = policyWith({ insecure: true }, { history_size: 1, history_ttl: 1000, join_leave: true });
    expect(await subscribe(policy, clientWith({ user: '' }), subscribeRequest(all))).toMatchObject({
      positioned: true,
      recoverable: true,
      pushJoinLeave: true,
    });
  });

  it.each([
    [{}, 0, 107],
    [{ allow_tags_filter: true }, 0, 0],
  ])('a tag filter needs %j', async (options, without, expected) => {
    expect(await code(policyWith({}, { ...open, ...options }), {})).toBe(without);
    expect(await code(policyWith({}, { ...open, ...options }), { tf })).toBe(expected);
    expect(await code(policyWith({ insecure: true }, { ...open, ...options }), { tf })).toBe(expected);
    expect(await code(policyWith({}, options), { tf })).toBe(103);
  });
});
