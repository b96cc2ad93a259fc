import { bool, section, str, type Served } from '../option.ts';

interface TlsNotes {
  /** Flat name of older releases that `_cert`, `_key` and the like were put after. */
  readonly flat?: string;
  readonly served?: Served;
  /** Of what is beside the switch, the certificate and its key; absent: as `served`. */
  readonly servedRest?: Served;
  /** Of the authority of clients; absent: as `servedRest`. */
  readonly servedClientCa?: Served;
}

/**
 * The TLS group, the same wherever TLS is spoken.
 * @param doc what is spoken over it
 */
export function tls(doc: string, notes: TlsNotes = {}) {
  const { flat, served, servedRest = served, servedClientCa = servedRest } = notes;
  const row = (mark: Served | undefined, ...endings: string[]) => ({
    ...(mark ? { served: mark } : {}),
    ...(flat === undefined ? {} : { alias: endings.map((ending) => flat + ending) }),
  });
  return section(doc, {
    enabled: bool(false, 'Speak TLS.', row(served, '')),
    cert_pem: str(
      '',
      'Certificate: PEM text, base64 of it, or the path of a file.',
      row(served, '_cert', '_cert_pem'),
    ),
    key_pem: str('', 'Private key of the certificate: PEM text, base64 of it, or the path of a file.', {
      ...row(served, '_key', '_key_pem'),
      secret: true,
    }),
    server_ca_pem: str(
      '',
      'Authority that servers are checked against: PEM text, base64 of it, or a path.',
      row(servedRest, '_root_ca', '_root_ca_pem'),
    ),
    client_ca_pem: str(
      '',
      'Authority that clients must show a certificate of: PEM text, base64 of it, or a path.',
      row(servedClientCa, '_client_ca', '_client_ca_pem'),
    ),
    insecure_skip_verify: bool(
      false,
      'Do not check the certificate of the other side.',
      row(servedRest, '_insecure_skip_verify'),
    ),
    server_name: str(
      '',
      'Name that the certificate of the other side must carry.',
      row(servedRest, '_server_name'),
    ),
  });
}
