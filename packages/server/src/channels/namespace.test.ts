import type { SubscriptionGrant } from '@gyre/broker';
import { describe, expect, it } from 'vitest';
import { Namespace, type Asked, type Override } from './namespace.ts';
import type { ChannelOptions } from './options.ts';
import { channelSection, noOptions } from './testing.ts';

const kept: Partial<ChannelOptions> = { history_size: 10, history_ttl: 60_000 };
const none: Asked = { positioned: false, recoverable: false, joinLeave: false, delta: false };

function namespace(options: Partial<ChannelOptions>): Namespace {
  return new Namespace('test', { ...noOptions, ...options }, channelSection());
}

const plain: SubscriptionGrant = {
  presence: false,
  joinLeave: false,
  pushJoinLeave: false,
  positioned: false,
  recoverable: false,
  recoveryMode: 'stream',
  autoCacheRecover: false,
};
const history = { size: 10, ttlMs: 60_000, metaTtlMs: 2_592_000_000 };

describe('grant', () => {
  const rows: readonly [string, Partial<ChannelOptions>, Partial<Asked>, Override | undefined, object][] = [
    ['nothing', {}, {}, undefined, {}],
    ['presence', { presence: true }, {}, undefined, { presence: true }],
    ['presence overridden', { presence: true }, {}, { presence: false }, {}],
    ['presence added', {}, {}, { presence: true }, { presence: true }],
    ['join_leave', { join_leave: true }, {}, undefined, { joinLeave: true }],
    ['join_leave added', {}, {}, { joinLeave: true }, { joinLeave: true }],
    [
      'join and leave asked',
      { join_leave: true },
      { joinLeave: true },
      undefined,
      { joinLeave: true, pushJoinLeave: true },
    ],
    ['force_push', { force_push_join_leave: true }, {}, undefined, { pushJoinLeave: true }],
    ['force_push overridden', { force_push_join_leave: true }, {}, { forcePushJoinLeave: false }, {}],
    ['history', kept, {}, undefined, { history }],
    ['history, half of it', { history_size: 10 }, {}, undefined, {}],
    ['history, the other half', { history_ttl: 60_000 }, {}, undefined, {}],
    [
      'meta ttl',
      { ...kept, history_meta_ttl: 90_000 },
      {},
      undefined,
      { history: { ...history, metaTtlMs: 90_000 } },
    ],
    ['positioned', { ...kept, force_positioning: true }, {}, undefined, { history, positioned: true }],
    [
      'positioned overridden',
      { ...kept, force_positioning: true },
      {},
      { forcePositioning: false },
      { history },
    ],
    ['positioned asked', kept, { positioned: true }, undefined, { history, positioned: true }],
    [
      'positioned without history',
      { force_positioning: true },
      { positioned: true },
      { forcePositioning: true },
      {},
    ],
    [
      'recovery',
      { ...kept, force_recovery: true },
      {},
      undefined,
      { history, positioned: true, recoverable: true },
    ],
    ['recovery overridden', { ...kept, force_recovery: true }, {}, { forceRecovery: false }, { history }],
    [
      'recovery asked',
      kept,
      { recoverable: true },
      undefined,
      { history, positioned: true, recoverable: true },
    ],
    [
      'recovery without history',
      { force_recovery: true },
      { recoverable: true },
      { forceRecovery: true },
      {},
    ],
    ['cache', { force_recovery_mode: 'cache' }, {}, undefined, { recoveryMode: 'cache' }],
    [
      'cache, recovered without asking',
      { ...kept, force_recovery: true, force_recovery_mode: 'cache', auto_cache_recover: true },
      {},
      undefined,
      { history, positioned: true, recoverable: true, recoveryMode: 'cache', autoCacheRecover: true },
    ],
    [
      'streams do not recover without asking',
      { ...kept, force_recovery: true, auto_cache_recover: true },
      {},
      undefined,
      { history, positioned: true, recoverable: true },
    ],
    ['delta', {}, { delta: true }, undefined, { delta: 'fossil' }],
  ];
  it.each(rows)('%s', (_, options, asked, override, expected) => {
    expect(namespace(options).grant({ ...none, ...asked }, override)).toStrictEqual({
      ...plain,
      ...expected,
    });
  });

  it('is shared by all who ask for the same, and cannot be changed', () => {
    const ns = namespace(kept);
    expect(ns.grant()).toBe(ns.grant(none));
    expect(ns.grant({ ...none, delta: true })).toBe(ns.grant({ ...none, delta: true }));
    const bits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((n) => ({
      positioned: (n & 1) > 0,
      recoverable: (n & 2) > 0,
      joinLeave: (n & 4) > 0,
      delta: (n & 8) > 0,
    }));
    expect(new Set(bits.map((asked) => ns.grant(asked))).size).toBe(16);
    expect(Object.isFrozen(ns.grant())).toBe(true);
  });
});

describe('publications', () => {
  it('are kept, patched and checked as the options say', () => {
    expect(namespace({}).publishOptions).toStrictEqual({ delta: false });
    expect(namespace({ ...kept, delta_publish: true }).publishOptions).toStrictEqual({
      history,
      delta: true,
    });
    expect(namespace({ publication_data_format: 'json' }).publishRule).toStrictEqual({
      delta: false,
      format: 'json',
    });
  });

  it('have the format of all channels where the namespace has none', () => {
    const section = channelSection({}, {}, { publication_data_format: 'json_object' });
    expect(new Namespace('test', noOptions, section).format).toBe('json_object');
    expect(new Namespace('test', { ...noOptions, publication_data_format: 'binary' }, section).format).toBe(
      'binary',
    );
  });
});
