import { ClientError } from '@gyre/protocol';
import { describe, expect, it } from 'vitest';
import { Namespaces } from './namespaces.ts';
import { createRules } from './rules.ts';
import { channelSection } from './testing.ts';

const namespaces = new Namespaces(
  channelSection(
    {},
    {
      kept: { history_size: 2, history_ttl: 1000, delta_publish: true, publication_data_format: 'json' },
      seen: { presence: true, channel_regex: '^only-this$' },
      map: { subscription_type: 'map', presence: true, history_size: 2, history_ttl: 1000 },
      stream: { subscription_type: 'stream', presence: true },
    },
  ),
);
const rules = createRules(() => namespaces);
const history = { size: 2, ttlMs: 1000, metaTtlMs: 2_592_000_000 };

function codeOf(ask: () => unknown): number {
  try {
    ask();
    return 0;
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

describe('rules for the server API', () => {
  it.each([
    // channel, publish, subscribe, presence, history
    ['x', 0, 0, 108, 108],
    ['kept:x', 0, 0, 108, 0],
    ['$kept:x', 0, 0, 108, 0],
    ['seen:anything', 0, 0, 0, 108],
    ['seen:привет', 0, 0, 0, 108],
    ['stream:x', 0, 0, 0, 108],
    ['map:x', 107, 107, 107, 107],
    ['other:x', 102, 102, 102, 102],
    [':x', 0, 0, 108, 108],
  ])('%j', (channel, publish, subscribe, presence, historyCode) => {
    expect(codeOf(() => rules.publish(channel))).toBe(publish);
    expect(codeOf(() => rules.subscribe(channel, {}))).toBe(subscribe);
    expect(codeOf(() => rules.presence(channel))).toBe(presence);
    expect(codeOf(() => rules.history(channel))).toBe(historyCode);
  });

  it('give what the options say', () => {
    expect(rules.publish('x')).toStrictEqual({ delta: false, format: '' });
    expect(rules.publish('kept:x')).toStrictEqual({ history, delta: true, format: 'json' });
    expect(rules.publish('kept:x')).toBe(rules.publish('kept:y'));
    expect(rules.history('kept:x')).toStrictEqual(history);
    expect(rules.subscribe('kept:x', { forceRecovery: true, presence: true })).toMatchObject({
      history,
      presence: true,
      recoverable: true,
      positioned: true,
    });
  });
});
