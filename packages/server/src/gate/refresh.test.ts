import { ClientError } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { sign } from '../auth/testing.ts';
import { connecting } from './connect.ts';
import { createGate } from './gate.ts';
import { refresh, subRefresh } from './refresh.ts';
import { clientWith, codeOf, connectQuestion, policyWith, T } from './testing.ts';

const policy = policyWith({}, {}, { map: { subscription_type: 'map' } });
const insecure = policyWith({ insecure: true });
const gate = createGate(() => policy);

describe('refresh', () => {
  it.each<[string, string, number]>([
    ['nothing', '', 3501],
    ['nonsense', 'nonsense', 3500],
    ['another secret', sign({ sub: '42' }, 'another'), 3500],
    ['a subscription token', sign({ sub: '42', channel: 'x' }), 3500],
    ['another user', sign({ sub: '43' }), 3500],
    ['nobody', sign({}), 3500],
    ['over already', sign({ sub: '42', exp: T + 1, expire_at: T - 1 }), 110],
    ['more server-side subscriptions', sign({ sub: '42', channels: ['a'] }), 3010],
    ['good', sign({ sub: '42', exp: T + 60 }), 0],
  ])('%s', async (_, token, expected) => {
    expect(await codeOf(() => gate.refresh(clientWith(), token))).toBe(expected);
  });

  it('with an expired token ends the connection', async () => {
    expect(await gate.refresh(clientWith(), sign({ sub: '42', exp: T - 1 }))).toStrictEqual({
      expired: true,
    });
    expect(await gate.refresh(clientWith(), sign({ sub: '42', nbf: T + 1 }))).toStrictEqual({
      expired: true,
    });
  });

  it('brings what the token says', async () => {
    const token = sign(`{"sub":"42","exp":${T + 60},"info":{"a":1.0},"meta":{"m":1.0}}`);
    expect(await refresh(policy, clientWith(), token)).toStrictEqual({
      expireAt: T + 60,
      connInfo: new Uint8Array(Buffer.from('{"a":1.0}')),
      meta: new Uint8Array(Buffer.from('{"m":1.0}')),
    });
    expect(await refresh(policy, clientWith(), sign({ sub: '42' }))).toStrictEqual({});
    expect(await refresh(insecure, clientWith(), sign({ sub: '42', exp: T + 60 }))).toStrictEqual({});
  });

  it.each<[object, object, number]>([
    [{ channels: ['a', 'b'] }, { channels: ['b', 'a'] }, 0],
    [{ channels: ['a', 'b'] }, { subs: { b: { info: 1 }, a: {} } }, 0],
    [{ channels: ['a', 'b'] }, { channels: ['a'] }, 3010],
    [{ channels: ['a', 'b'] }, { channels: ['a', 'c'] }, 3010],
    [{ channels: ['a', 'b'] }, { channels: ['a', 'b', 'c'] }, 3010],
    [{ channels: ['a', 'b'] }, {}, 3010],
    [{ channels: ['ab'] }, { channels: ['a', 'b'] }, 3010],
    [{}, {}, 0],
  ])('compares server-side subscriptions: %j then %j', async (before, after, expected) => {
    const question = connectQuestion({ token: sign({ sub: '42', ...before }) });
    const { remember = '' } = await connecting(policy, clientWith({ user: '' }), question);
    const client = clientWith({ remembered: remember });
    expect(await codeOf(() => gate.refresh(client, sign({ sub: '42', ...after })))).toBe(expected);
  });
});

describe('sub_refresh', () => {
  const client = clientWith({ subscribed: ['x', '$x'] });
  it.each<[string, string, string, number]>([
    ['nothing', 'x', '', 107],
    ['nonsense', 'x', 'nonsense', 3500],
    ['another secret', 'x', sign({ sub: '42', channel: 'x' }, 'another'), 3500],
    ['a connection token', 'x', sign({ sub: '42' }), 3500],
    ['another channel', 'x', sign({ sub: '42', channel: '$x' }), 3500],
    ['another user', 'x', sign({ sub: '43', channel: 'x' }), 3500],
    ['another client', 'x', sign({ sub: '42', channel: 'x', client: 'c' }), 3500],
    ['over already', 'x', sign({ sub: '42', channel: 'x', expire_at: T - 1 }), 110],
    ['expired', 'x', sign({ sub: '42', channel: 'x', exp: T - 1 }), 109],
    ['good', 'x', sign({ sub: '42', channel: 'x', exp: T + 60 }), 0],
    ['good', '$x', sign({ sub: '42', channel: '$x' }), 0],
  ])('%s, %s', async (_, channel, token, expected) => {
    expect(await codeOf(() => gate.subRefresh(client, channel, token))).toBe(expected);
  });

  it('with an expired token may be tried again', async () => {
    const token = sign({ sub: '42', channel: 'x', exp: T - 1 });
    const error: unknown = await gate.subRefresh(client, 'x', token).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({ code: 109, message: 'token expired', temporary: true });
  });

  it('brings what the token says', async () => {
    const token = sign(`{"sub":"42","channel":"x","exp":${T + 60},"info":{"a":1.0}}`);
    expect(await subRefresh(policy, client, 'x', token)).toStrictEqual({
      expireAt: T + 60,
      chanInfo: new Uint8Array(Buffer.from('{"a":1.0}')),
    });
    expect(await subRefresh(insecure, client, 'x', token)).not.toHaveProperty('expireAt');
  });
});
