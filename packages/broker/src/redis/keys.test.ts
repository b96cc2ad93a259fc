import { describe, expect, it } from 'vitest';
import { hostileNames } from '../contract/bytes.ts';
import { answerKey, channelKeys, channelOf, findingsKey } from './keys.ts';

const names = [
  ...new Set([...hostileNames, 'a', 'b', 'ab', 'abc', 'bc', 'c', ':a', '1', 's:a', 'm:a', '1:ab', 'meta.a']),
];

describe('keys', () => {
  it('of one slot are the same only for the same thing', () => {
    const keys = names.flatMap((channel) => [
      ...Object.values(channelKeys('p', '7', channel)),
      findingsKey('p', '7', channel),
      ...names.map((key) => answerKey('p', '7', channel, key)),
    ]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(names.length * (4 + names.length));
  });

  it('have one pair of braces that counts, and it is ours', () => {
    for (const channel of names) {
      for (const key of Object.values(channelKeys('p', '7', channel))) {
        expect(/\{(.*?)\}/.exec(key)?.[1]).toBe('7');
      }
    }
  });

  it('of the bus tell their channel', () => {
    for (const channel of names) {
      const { bus, stream, meta } = channelKeys('p:q', '7', channel);
      expect(channelOf('p:q', bus)).toBe(channel);
      expect(channelOf('p', bus)).toBeUndefined();
      expect(channelOf('p:q', stream)).toBeUndefined();
      expect(channelOf('p:q', meta)).toBeUndefined();
    }
    expect(channelOf('p', 'p')).toBeUndefined();
    expect(channelOf('p', 'p{7}:b:x')).toBeUndefined();
  });
});
