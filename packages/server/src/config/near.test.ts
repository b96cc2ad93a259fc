import { expect, test } from 'vitest';
import { nearest } from './near.ts';

test.each([
  ['adress', ['address'], 'a letter too few'],
  ['addresss', ['address'], 'a letter too many'],
  ['addrass', ['address'], 'another letter'],
  ['adderss', ['address'], 'two letters swapped'],
  ['adres', ['address'], 'two edits'],
  ['prot', ['port'], 'a swap in a short name'],
  ['kye', ['key'], 'a swap in a shorter name'],
  ['bd', ['db'], 'a swap in the shortest name'],
])('%s: %s (%s)', (written, expected) => {
  expect(nearest(written, ['address', 'port', 'key', 'db', 'completely_other'])).toEqual(expected);
});

test.each(['addr', 'host', 'home', 'ky3y', 'id2', 'another_completely_other'])(
  '%s is near nothing',
  (written) => {
    expect(nearest(written, ['address', 'port', 'key', 'db', 'completely_other'])).toEqual([]);
  },
);

test('only the nearest are named, all of them', () => {
  expect(nearest('tls_cart', ['tls_cert', 'tls_care', 'tls_certs'])).toEqual(['tls_cert', 'tls_care']);
});
