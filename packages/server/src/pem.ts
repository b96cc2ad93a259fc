import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * The PEM text of an option that holds it as it is, as base64, or as the path of a file.
 * @param option for the error message, which never shows the value
 * @throws Error where it is none of these
 */
export function pemText(value: string, option: string): string {
  if (value.includes('-----BEGIN ')) return value;
  const decoded = Buffer.from(value, 'base64').toString();
  if (decoded.includes('-----BEGIN ')) return decoded;
  try {
    return readFileSync(value, 'utf8');
  } catch (cause) {
    throw new Error(`${option}: neither PEM, nor base64 of it, nor a file that can be read`, { cause });
  }
}

/** The part of a TLS section that a listener uses. */
export interface TlsSection {
  readonly enabled: boolean;
  readonly cert_pem: string;
  readonly key_pem: string;
  readonly client_ca_pem: string;
}

/** What a listener speaks TLS with, as PEM texts. */
export interface TlsMaterial {
  /** The certificate, and those above it where there are any. */
  readonly cert: string;
  readonly key: string;
  /** Authorities that clients must show a certificate of. */
  readonly clientCa?: string;
}

/**
 * What a section asks a listener to speak TLS with; undefined where it is off.
 * @param path where the section stands in the configuration, for error messages
 * @throws Error that names the option which cannot be used
 */
export function tlsMaterial(section: TlsSection, path: string): TlsMaterial | undefined {
  if (!section.enabled) return undefined;
  const cert = certificate(section.cert_pem, `${path}.cert_pem`);
  const key = pemText(section.key_pem, `${path}.key_pem`);
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new Error(`${path}.key_pem: not a private key in PEM`, { cause });
  }
  if (!fits) throw new Error(`${path}.key_pem: not the key of the certificate in ${path}.cert_pem`);
  if (section.client_ca_pem === '') return { cert, key };
  return { cert, key, clientCa: certificate(section.client_ca_pem, `${path}.client_ca_pem`) };
}

function certificate(value: string, option: string): string {
  const text = pemText(value, option);
  try {
    void new X509Certificate(text);
  } catch (cause) {
    throw new Error(`${option}: not a certificate in PEM`, { cause });
  }
  return text;
}
