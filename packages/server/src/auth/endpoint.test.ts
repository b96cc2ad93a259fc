import { describe, expect, it, test } from 'vitest';
import { endpointRule } from './endpoint.ts';
import type { TokenSection } from './options.ts';
import { noTokens } from './testing.ts';

function ruleOf(section: Partial<TokenSection>) {
  return endpointRule({ ...noTokens, ...section }, 'client.token');
}

test('an address without placeholders is the same for every token', () => {
  const rule = ruleOf({ jwks_public_endpoint: 'http://127.0.0.1:1/keys?x=1' });
  const endpoint = { url: 'http://127.0.0.1:1/keys?x=1', guarded: false };
  expect([rule({}), rule({ iss: 'http://evil' })]).toEqual([endpoint, endpoint]);
});

describe('placeholders', () => {
  const byPath = ruleOf({
    jwks_public_endpoint: 'https://idp.example/{{ tenant }}/{{app}}/keys',
    issuer_regex: '^https://idp/(?P<tenant>one|two\\.b)$',
    audience_regex: '^app-(?<app>web|tv)$',
  });

  it('are filled from the groups that match', () => {
    expect(byPath({ iss: 'https://idp/one', aud: 'app-tv' })).toEqual({
      url: 'https://idp.example/one/tv/keys',
      guarded: false,
    });
    expect(byPath({ iss: 'https://idp/two.b', aud: ['other', 'app-web'] })?.url).toBe(
      'https://idp.example/two.b/web/keys',
    );
  });

  it.each([
    [{ iss: 'https://idp/three', aud: 'app-tv' }],
    [{ iss: 'https://idp/one@evil', aud: 'app-tv' }],
    [{ iss: 'https://idp/../one', aud: 'app-tv' }],
    [{ iss: 'https://idp/one', aud: 'app-pc' }],
    [{ iss: 'https://idp/one', aud: [] }],
    [{ iss: ['https://idp/one'.repeat(2)], aud: 'app-tv' }],
    [{ iss: 42, aud: 'app-tv' }],
    [{ iss: 'https://idp/one' }],
    [{}],
  ])('are not filled from %j', (claims) => {
    expect(byPath(claims)).toBeUndefined();
  });

  it('are filled with the listed words only, whatever else the pattern lets through', () => {
    const rule = ruleOf({ jwks_public_endpoint: 'https://x/{{t}}', issuer_regex: '(?i)^(?P<t>sk|x)$' });
    expect(rule({ iss: 'sk' })?.url).toBe('https://x/sk');
    // The Kelvin sign is a k in any case.
    expect(rule({ iss: 's\u212a' })).toBeUndefined();
    expect(rule({ iss: 'SK' })).toBeUndefined();
  });

  it('of hosts that list their words go wherever the operator wrote', () => {
    const rule = ruleOf({ jwks_public_endpoint: 'http://{{t}}.local/', issuer_regex: '^(?P<t>a|b)$' });
    expect(rule({ iss: 'a' })).toEqual({ url: 'http://a.local/', guarded: false });
  });
});

describe('with the safety check skipped', () => {
  const inPath = ruleOf({
    jwks_public_endpoint: 'https://idp.example/{{t}}/keys?t={{t}}',
    issuer_regex: '^https://idp/(?P<t>.*)$',
    insecure_skip_jwks_endpoint_safety_check: true,
  });
  const inHost = ruleOf({
    jwks_public_endpoint: 'https://{{t}}.idp.example/keys',
    issuer_regex: '^https://(?P<t>.*)$',
    insecure_skip_jwks_endpoint_safety_check: true,
  });

  it.each([
    ['@evil', '/%40evil/keys?t=%40evil'],
    ['../../x', '/..%2F..%2Fx/keys?t=..%2F..%2Fx'],
    ['a%2fb', '/a%252fb/keys?t=a%252fb'],
    ['a?b#c', '/a%3Fb%23c/keys?t=a%3Fb%23c'],
    ['a\\b', '/a%5Cb/keys?t=a%5Cb'],
    ['ü', '/%C3%BC/keys?t=%C3%BC'],
  ])('%j is written into the path as a value', (value, rest) => {
    expect(inPath({ iss: `https://idp/${value}` })).toEqual({
      url: `https://idp.example${rest}`,
      guarded: false,
    });
  });

  it.each(['', '.', '..', '\ud800'])('%j is written into no path', (value) => {
    expect(inPath({ iss: `https://idp/${value}` })).toBeUndefined();
  });

  it.each(['@evil', 'evil/', 'evil%2f', 'evil#', 'evil?', '[::1]', 'evil:80', 'a b', '..'])(
    '%j is written into no host',
    (value) => {
      expect(inHost({ iss: `https://${value}` })).toBeUndefined();
    },
  );

  it('a host that a token chooses has to be public', () => {
    expect(inHost({ iss: 'https://any' })).toEqual({ url: 'https://any.idp.example/keys', guarded: true });
  });
});

test.each<[string, Partial<TokenSection>, string]>([
  ['no address', { jwks_public_endpoint: 'keys' }, 'not the address'],
  ['another protocol', { jwks_public_endpoint: 'file:///keys' }, 'not the address'],
  [
    'a protocol to fill in',
    { jwks_public_endpoint: '{{p}}://x/', issuer_regex: '(?P<p>a|b)' },
    'not the address',
  ],
  ['half a placeholder', { jwks_public_endpoint: 'http://x/{{t' }, 'not the address'],
  ['no regex', { jwks_public_endpoint: 'http://x/{{t}}' }, '{{t}} has to be a named group'],
  ['no such group', { jwks_public_endpoint: 'http://x/{{t}}', issuer_regex: '(?P<u>a)' }, '{{t}} has to be'],
  [
    'a group in both',
    { jwks_public_endpoint: 'http://x/{{t}}', issuer_regex: '(?P<t>a)', audience_regex: '(?P<t>a)' },
    '{{t}} has to be',
  ],
  ...['.*', '[a-z]+', 'a|.', 'a|', '', 'a(b)', 'a+', '\\w', 'a/b', 'a|b?', '(?i)a'].map(
    (body): [string, Partial<TokenSection>, string] => [
      `a group that is no list of words: ${body}`,
      { jwks_public_endpoint: 'http://x/{{t}}', issuer_regex: `^(?P<t>${body})$` },
      'client.token.issuer_regex: the group t has to list its words',
    ],
  ),
])('is refused at the start: %s', (_, section, message) => {
  expect(() => ruleOf(section)).toThrow(message);
});
