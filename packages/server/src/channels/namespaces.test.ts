import { describe, expect, it } from 'vitest';
import { Namespaces } from './namespaces.ts';
import type { ChannelSection } from './options.ts';
import { channelSection } from './testing.ts';

function isClientName(section: ChannelSection, channel: string): boolean | undefined {
  const namespaces = new Namespaces(section);
  const namespace = namespaces.find(channel);
  return namespace === undefined ? undefined : namespaces.isClientName(channel, namespace);
}

describe('look-up', () => {
  const namespaces = new Namespaces(channelSection({ presence: true }, { chat: { join_leave: true } }));

  it('finds the namespace, and always the same object', () => {
    expect(namespaces.find('x')?.options.presence).toBe(true);
    expect(namespaces.find('chat:x')?.options.join_leave).toBe(true);
    expect(namespaces.find('$chat:x')).toBe(namespaces.find('chat:y'));
    expect(namespaces.find(':x')).toBe(namespaces.find('x'));
  });

  it('inherits nothing', () => {
    expect(namespaces.find('chat:x')?.options.presence).toBe(false);
  });

  it.each(['other:x', 'constructor:x', '__proto__:x', 'cha:x', 'chat2:x', '$$chat:x', 'Chat:x', ' chat:x'])(
    'knows no namespace for %j',
    (channel) => {
      expect(namespaces.find(channel)).toBeUndefined();
    },
  );

  it('names personal channels', () => {
    expect(namespaces.personal('42', '')).toBe('#42');
    expect(namespaces.personal('42', 'chat')).toBe('chat:#42');
  });

  it('limits to users only where the namespace says so', () => {
    const limited = new Namespaces(channelSection({ allow_user_limited_channels: true }, { open: {} }));
    const isLimited = (channel: string): boolean | undefined => {
      const namespace = limited.find(channel);
      return namespace && limited.isUserLimited(channel, namespace);
    };
    expect(isLimited('d#42')).toBe(true);
    expect(isLimited('d')).toBe(false);
    expect(isLimited('open:d#42')).toBe(false);
  });
});

describe('names that clients say', () => {
  it.each([
    ['news', true],
    ['~ !"%&/()=?*{}[]\\', true],
    ['x'.repeat(255), true],
    ['x'.repeat(256), false],
    ['x'.repeat(10_000), false],
    ['a\0b', false],
    ['a\nb', false],
    ['a\r\nb', false],
    ['a\x7fb', false],
    ['é', false],
    ['\xff', false],
    ['\u202eabc', false],
    ['\ud800', false],
    ['$a#1,2', true],
  ])('without a pattern, %j: %j', (channel, fits) => {
    expect(isClientName(channelSection(), channel)).toBe(fits);
  });

  it('obeys the configured length', () => {
    expect(isClientName(channelSection({}, {}, { max_length: 3 }), 'abc')).toBe(true);
    expect(isClientName(channelSection({}, {}, { max_length: 3 }), 'abcd')).toBe(false);
  });

  it.each([
    // pattern, channel, fits
    ['^[a-z]+$', 'ns:abc', true],
    ['^[a-z]+$', 'ns:ABC', false],
    ['^[a-z]+$', '$ns:abc', true],
    ['^[a-z]+$', 'ns:abc\n', false],
    ['b', 'ns:abc', true],
    ['^ns', 'ns:abc', false],
    ['^\\p{Cyrillic}+$', 'ns:привет', true],
    ['.', 'ns:привет', true],
    ['.', 'ns:a\0b', false],
    ['.', 'ns:\ud800', false],
    ['.*', `ns:${'ж'.repeat(127)}`, false],
    ['(?i)^ABC$', 'ns:abc', true],
    ['^(?P<room>[0-9]{4})$', 'ns:1234', true],
    ['\\Aabc\\z', 'ns:abc', true],
    ['^$', 'ns:', true],
  ])('with pattern %j, %j: %j', (channel_regex, channel, fits) => {
    expect(isClientName(channelSection({}, { ns: { channel_regex } }), channel)).toBe(fits);
  });

  it('matches the whole name where there is no namespace', () => {
    expect(isClientName(channelSection({ channel_regex: '^\\$a' }), '$abc')).toBe(true);
  });

  // An engine that backtracks does not come back from these in the lifetime of this test.
  it.each(['(a+)+$', '^(a|a)*$', '^(a|a?)+$', '(.*a){20}$', '^([a-z]+)*$'])(
    'takes linear time for %j',
    (channel_regex) => {
      const section = channelSection({}, {}, { max_length: 300 });
      const without_namespace = { ...section.without_namespace, channel_regex };
      expect(isClientName({ ...section, without_namespace }, `${'a'.repeat(255)}!`)).toBe(false);
    },
  );

  it.each(['(', '[a', '(?=a)', '(a)\\1', 'a**', '\\8'])(
    'refuses the pattern %j and names the option',
    (channel_regex) => {
      expect(() => new Namespaces(channelSection({}, { ns: { channel_regex } }))).toThrow(
        /^channel\.namespaces\[ns\]\.channel_regex: /,
      );
    },
  );
});
