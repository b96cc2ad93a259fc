import { expect } from 'vitest';
import type { TestApi } from '../api.ts';
import { text, type Rows } from './row.ts';

const commandsAre =
  (...commands: unknown[]) =>
  (api: TestApi) =>
    expect(api.commands).toEqual(commands);

const narrowed = { user: 'u', client: 'c', session: 's' };

export const subscribe: Rows = [
  {
    what: 'every parameter',
    params: `{"user":"u","channel":"a","client":"c","session":"s","info":{"i": 1.0},"data":[1],"expire_at":1999999999,
      "recover_since":{"offset":3,"epoch":"e"},"override":{"presence":{"value":true},"join_leave":{"value":true},
      "force_push_join_leave":{"value":true},"force_positioning":{"value":true},"force_recovery":{"value":true}}}`,
    result: {},
    after: (api) => {
      const [command] = api.commands;
      expect(command).toMatchObject({
        type: 'subscribe',
        target: narrowed,
        channel: 'a',
        recoverSince: { offset: 3, epoch: 'e' },
        grant: {
          expireAt: 1999999999,
          presence: true,
          joinLeave: true,
          pushJoinLeave: true,
          positioned: true,
          recoverable: true,
        },
      });
      const grant = command?.type === 'subscribe' ? command.grant : undefined;
      expect([text(grant?.chanInfo), text(grant?.data)]).toEqual(['{"i": 1.0}', '[1]']);
    },
  },
  {
    what: 'no more than it needs',
    params: '{"user":"","channel":"a","override":{"presence":{},"join_leave":null}}',
    result: {},
    after: (api) => {
      const [command] = api.commands;
      expect(command).toMatchObject({ type: 'subscribe', target: {}, grant: { presence: false } });
      expect(Object.keys(command?.type === 'subscribe' ? command.target : {})).toEqual(['user']);
      expect(command).not.toHaveProperty('recoverSince');
      for (const field of ['chanInfo', 'data', 'expireAt'])
        expect(command).not.toHaveProperty(`grant.${field}`);
    },
  },
  {
    what: 'b64info and b64data',
    params: '{"user":"u","channel":"a","info":1,"b64info":"aQ==","data":2,"b64data":"ZA=="}',
    result: {},
    after: (api) => {
      const grant = api.commands[0]?.type === 'subscribe' ? api.commands[0].grant : undefined;
      expect([text(grant?.chanInfo), text(grant?.data)]).toEqual(['i', 'd']);
    },
  },
  {
    what: 'bad b64info',
    params: '{"user":"u","channel":"a","b64info":"*"}',
    error: 107,
    after: commandsAre(),
  },
  {
    what: 'bad b64data',
    params: '{"user":"u","channel":"a","b64data":"*"}',
    error: 107,
    after: commandsAre(),
  },
  { what: 'no channel', params: '{"user":"u"}', error: 107, after: commandsAre() },
  {
    what: 'an unknown namespace',
    params: '{"user":"u","channel":"unknown:a"}',
    error: 102,
    after: commandsAre(),
  },
  {
    what: 'an override that is no object',
    params: '{"channel":"a","override":{"presence":true}}',
    malformed: true,
  },
  { what: 'expire_at as a fraction', params: '{"channel":"a","expire_at":1.5}', malformed: true },
];

export const unsubscribe: Rows = [
  {
    what: 'every parameter',
    params: '{"user":"u","channel":"a","client":"c","session":"s"}',
    result: {},
    after: commandsAre({ type: 'unsubscribe', target: narrowed, channel: 'a' }),
  },
  {
    what: 'an empty channel is taken as a name',
    params: '{"user":"u"}',
    result: {},
    after: commandsAre({ type: 'unsubscribe', target: { user: 'u' }, channel: '' }),
  },
  {
    what: 'an unknown namespace',
    params: '{"user":"u","channel":"unknown:a"}',
    error: 102,
    after: commandsAre(),
  },
  {
    what: 'a control character in the name',
    params: '{"user":"u","channel":"\\u0000"}',
    error: 107,
    message: 'invalid channel name',
  },
];

const forced = { type: 'disconnect', code: 3503, reason: 'force disconnect', whitelist: [] };

export const disconnect: Rows = [
  {
    what: 'by user',
    params: '{"user":"u"}',
    result: {},
    after: commandsAre({ ...forced, target: { user: 'u' } }),
  },
  {
    what: 'every parameter',
    params:
      '{"user":"u","client":"c","session":"s","whitelist":["x","y"],"disconnect":{"code":4001,"reason":"so there"}}',
    result: {},
    after: commandsAre({
      type: 'disconnect',
      target: narrowed,
      code: 4001,
      reason: 'so there',
      whitelist: ['x', 'y'],
    }),
  },
  {
    what: 'no user is the anonymous ones',
    params: '{}',
    result: {},
    after: commandsAre({ ...forced, target: { user: '' } }),
  },
  {
    what: 'a disconnect without a code',
    params: '{"user":"u","disconnect":{}}',
    result: {},
    after: commandsAre({ ...forced, target: { user: 'u' } }),
  },
  ...[1, 1000, 2999, 5000, 70_000].map((code) => ({
    what: `code ${code}, which no close frame carries`,
    params: `{"disconnect":{"code":${code},"reason":"r"}}`,
    error: 107,
    message: 'a disconnect code is one that a close frame can carry: 3000 to 4999',
  })),
  { what: 'a code out of range', params: '{"disconnect":{"code":4294967296}}', malformed: true },
];

export const refresh: Rows = [
  {
    what: 'every parameter, an end ahead',
    params: '{"user":"u","client":"c","session":"s","expired":false,"expire_at":9999999999,"info":{"i":1}}',
    result: {},
    after: (api) => {
      expect(api.commands).toMatchObject([
        { type: 'refresh', target: narrowed, expired: false, expireAt: 9999999999 },
      ]);
      expect(api.commands[0]?.type === 'refresh' && text(api.commands[0].info)).toBe('{"i":1}');
    },
  },
  {
    what: 'no end any more; the info stays as it is',
    params: '{"user":"u","info":{"i":1}}',
    result: {},
    after: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: false, expireAt: 0 }),
  },
  {
    what: 'an end in the past',
    params: '{"user":"u","expire_at":1000,"info":{"i":1}}',
    result: {},
    after: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: true, expireAt: 1000 }),
  },
  {
    what: 'expired',
    params: '{"user":"u","expired":true}',
    result: {},
    after: commandsAre({ type: 'refresh', target: { user: 'u' }, expired: true, expireAt: 0 }),
  },
  { what: 'expired as a number', params: '{"user":"u","expired":1}', malformed: true },
];
