import { describe, expect, it } from 'vitest';
import { originRule } from './origin.ts';

const allowed = (patterns: string[], origin: string) => originRule(patterns)(origin);

describe('origins', () => {
  it.each([
    ['no Origin header', [], '', true],
    ['nothing configured', [], 'https://a.com', false],
    ['all', ['*'], 'https://a.com', true],
    ['all, where others are named too', ['https://b.com', '*'], 'null', true],
    ['the same', ['https://a.com'], 'https://a.com', true],
    ['another letter case', ['https://A.com'], 'HTTPS://a.COM', true],
    ['another scheme', ['https://a.com'], 'http://a.com', false],
    ['another port', ['https://a.com'], 'https://a.com:8443', false],
    ['the scheme’s own port, said', ['https://a.com'], 'https://a.com:443', true],
    ['the port that is named', ['http://a.com:3000'], 'http://a.com:3000', true],
    ['any port', ['http://localhost:*'], 'http://localhost:5173', true],
    ['any port, none said', ['http://localhost:*'], 'http://localhost', true],
    ['a subdomain', ['https://*.a.com'], 'https://x.a.com', true],
    ['a subdomain of a subdomain', ['https://*.a.com'], 'https://x.y.a.com', true],
    ['the domain itself', ['https://*.a.com'], 'https://a.com', false],
    ['a domain that begins alike', ['https://a.com'], 'https://a.com.evil.com', false],
    ['a domain that ends alike', ['https://a.com'], 'https://evila.com', false],
    ['a wildcard that would cross into the port', ['https://*.a.com'], 'https://evil.com:1.a.com', false],
    ['a wildcard that would cross into the path', ['https://*.a.com'], 'https://evil.com/.a.com', false],
    ['a wildcard that would cross from user info', ['https://*.a.com'], 'https://evil.com@x.a.com', false],
    ['two wildcards', ['https://*.a.*'], 'https://x.a.org', true],
    ['wildcards in the wrong order', ['https://*b*a.com'], 'https://xa.bcom', false],
    ['a trailing dot', ['https://a.com'], 'https://a.com.', false],
    ['null, unnamed', ['https://a.com'], 'null', false],
    ['null, named', ['null'], 'null', true],
    ['IPv6', ['http://[::1]:8000'], 'http://[::1]:8000', true],
    ['punycode', ['https://xn--bcher-kva.example'], 'https://xn--bcher-kva.example', true],
    ['text that is no origin', ['https://a.com'], 'a.com', false],
  ])('%s', (_name, patterns, origin, expected) => {
    expect(allowed(patterns, origin)).toBe(expected);
  });

  it('takes time in proportion to the text, whatever the pattern', () => {
    const rule = originRule([`https://${'*a'.repeat(200)}b`]);
    expect(rule(`https://${'a'.repeat(100_000)}`)).toBe(false);
  });
});
