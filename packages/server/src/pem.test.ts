import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pemText, tlsMaterial } from './pem.ts';

const path = (name: string): string => fileURLToPath(new URL(`testdata/tls/${name}.pem`, import.meta.url));
const text = (name: string): string => readFileSync(path(name), 'utf8');
const base64 = (name: string): string => Buffer.from(text(name)).toString('base64');

const section = { enabled: true, cert_pem: path('server'), key_pem: path('server-key'), client_ca_pem: '' };

describe('PEM', () => {
  it('is given as it is, as base64 or as a path', () => {
    for (const value of [text('ca'), base64('ca'), path('ca')]) expect(pemText(value, 'x')).toBe(text('ca'));
  });

  it('is missed by the name of its option, without the value', () => {
    expect(() => pemText('hush', 'http_server.tls.key_pem')).toThrow(
      /^http_server\.tls\.key_pem: neither PEM, nor base64 of it, nor a file that can be read$/,
    );
  });
});

describe('TLS of a listener', () => {
  it('is off unless switched on', () => {
    expect(tlsMaterial({ ...section, enabled: false }, 'tls')).toBeUndefined();
  });

  it('is a certificate and its key, and an authority of clients', () => {
    const material = { cert: text('server'), key: text('server-key') };
    expect(tlsMaterial(section, 'tls')).toEqual(material);
    expect(tlsMaterial({ ...section, client_ca_pem: base64('ca') }, 'tls')).toEqual({
      ...material,
      clientCa: text('ca'),
    });
  });

  it.each([
    ['no certificate', { cert_pem: '' }, 'tls.cert_pem: neither'],
    ['a key for a certificate', { cert_pem: path('server-key') }, 'tls.cert_pem: not a certificate'],
    ['no key', { key_pem: '' }, 'tls.key_pem: neither'],
    ['a certificate for a key', { key_pem: path('server') }, 'tls.key_pem: not a private key'],
    ['the key of another', { key_pem: path('client-key') }, 'tls.key_pem: not the key of the certificate'],
    ['a path to nothing', { client_ca_pem: '/nowhere/ca.pem' }, 'tls.client_ca_pem: neither'],
    ['a key for an authority', { client_ca_pem: path('client-key') }, 'tls.client_ca_pem: not a certificate'],
  ])('is refused: %s', (_, wrong, message) => {
    expect(() => tlsMaterial({ ...section, ...wrong }, 'tls')).toThrow(message);
  });
});
