import { describe, expect, it } from 'vitest';
import { admitsUser, fitsBytes, isPrivate, isServerName, nameInNamespace, namespaceName } from './name.ts';
import type { NameMarks } from './options.ts';

const marks: NameMarks = {
  private_prefix: '$',
  namespace_boundary: ':',
  user_boundary: '#',
  user_separator: ',',
};

describe('parts of a name', () => {
  it.each([
    // channel, namespace, what the pattern sees, private
    ['news', '', 'news', false],
    ['ns:x', 'ns', 'x', false],
    ['ns:a:b', 'ns', 'a:b', false],
    ['ns:', 'ns', '', false],
    [':x', '', 'x', false],
    ['::x', '', ':x', false],
    ['$ns:x', 'ns', 'x', true],
    ['$:x', '', 'x', true],
    ['$x', '', '$x', true],
    ['$', '', '$', true],
    ['$$ns:x', '$ns', 'x', true],
    ['x$:y', 'x$', 'y', false],
    ['ns#1:x', 'ns#1', 'x', false],
    ['пример:x', 'пример', 'x', false],
  ])('%j', (channel, namespace, rest, isPrivateName) => {
    expect(namespaceName(channel, marks)).toBe(namespace);
    expect(nameInNamespace(channel, marks)).toBe(rest);
    expect(isPrivate(channel, marks)).toBe(isPrivateName);
  });

  it('follows the configured marks', () => {
    const others: NameMarks = { ...marks, private_prefix: 'p/', namespace_boundary: '::' };
    expect(namespaceName('p/ns::x', others)).toBe('ns');
    expect(nameInNamespace('p/ns::x:y', others)).toBe('x:y');
    expect(namespaceName('ns:x', others)).toBe('');
    expect(isPrivate('$x', others)).toBe(false);
  });

  it('has no namespaces, and nothing private, without marks', () => {
    const none: NameMarks = {
      private_prefix: '',
      namespace_boundary: '',
      user_boundary: '',
      user_separator: '',
    };
    expect(namespaceName('ns:x', none)).toBe('');
    expect(nameInNamespace('ns:x', none)).toBe('ns:x');
    expect(isPrivate('$x', none)).toBe(false);
    expect(isPrivate('', none)).toBe(false);
    expect(admitsUser('x', '', none)).toBe(false);
    expect(admitsUser('x#42', '42', none)).toBe(false);
  });
});

describe('users of a name', () => {
  it.each([
    ['dialog#42', '42', true],
    ['dialog#42', '4', false],
    ['dialog#42', '422', false],
    ['dialog#42', '', false],
    ['dialog#42,43', '42', true],
    ['dialog#42,43', '43', true],
    ['dialog#42,43', '42,43', false],
    ['dialog#42, 43', '43', false],
    ['dialog#1#42', '1', false],
    ['dialog#1#42', '42', true],
    ['dialog#', '', true],
    ['dialog#42,', '', true],
    ['dialog#,42', '', true],
    ['dialog#42,,43', '', true],
    ['dialog', '', false],
    ['dialog', '42', false],
    ['ns:d#Ö', 'Ö', true],
    ['ns:d#ö', 'Ö', false],
  ])('%j admits %j: %j', (channel, user, admitted) => {
    expect(admitsUser(channel, user, marks)).toBe(admitted);
  });

  it('lists one user without a separator', () => {
    const one = { ...marks, user_separator: '' };
    expect(admitsUser('d#1,2', '1,2', one)).toBe(true);
    expect(admitsUser('d#1,2', '1', one)).toBe(false);
  });
});

describe('names that a backend says', () => {
  it.each([
    ['news', true],
    ['привет:мир', true],
    ['a b', true],
    ['\u202eabc', true],
    ['😀', true],
    ['$#,:', true],
    ['{}x}', true],
    ['x'.repeat(4096), true],
    ['', false],
    ['x'.repeat(4097), false],
    ['ж'.repeat(2049), false],
    ['a\0b', false],
    ['a\r\nb', false],
    ['a\tb', false],
    ['\x7f', false],
    ['\x85', false],
    ['\ud800', false],
    ['\udc00a', false],
  ])('%j: %j', (channel, fits) => {
    expect(isServerName(channel)).toBe(fits);
  });

  it('counts bytes, not characters', () => {
    expect(fitsBytes('ж'.repeat(127), 255)).toBe(true);
    expect(fitsBytes('ж'.repeat(128), 255)).toBe(false);
    expect(fitsBytes('😀'.repeat(64), 255)).toBe(false);
  });
});
