import { isUtf8 } from 'node:buffer';
import { asBuffer, isJson, skipSpace, type Bytes } from '@gyre/protocol';
import { badRequest } from './errors.ts';
import type { DataFormat } from './rules.ts';

const LINE_BREAKS = /[\r\n]/g;
const OPEN_BRACE = 0x7b;

/** Standard base64 with padding; line breaks are passed over. Undefined for anything else. */
function decodeBase64(encoded: string): Bytes | undefined {
  const text = encoded.replace(LINE_BREAKS, '');
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  // The decoder of Node passes over what it does not know and takes the URL alphabet too: neither may be here.
  if (text.includes('-') || text.includes('_')) return undefined;
  const bytes = Buffer.from(text, 'base64');
  // So it is too short where it passed over anything, and never what a length that is no multiple of four asks for.
  return bytes.length === (text.length / 4) * 3 - padding ? bytes : undefined;
}

/**
 * The payload of a pair like `data` and `b64data`: the decoded one where there is any, else the raw one.
 * @throws ClientError 107 where `encoded` is not base64
 */
export function payload(raw: Bytes, encoded: string): Bytes {
  if (encoded === '') return raw;
  const decoded = decodeBase64(encoded);
  if (decoded === undefined) throw badRequest();
  return decoded.length > 0 ? decoded : raw;
}

/** Whether a channel of this format takes this data. */
export function fitsFormat(format: DataFormat, data: Bytes): boolean {
  switch (format) {
    case 'binary':
      return true;
    case '':
      return data.length > 0;
    case 'json':
      return isUtf8(data) && isJson(data);
    case 'json_object':
      return data[skipSpace(asBuffer(data), 0)] === OPEN_BRACE && isUtf8(data) && isJson(data);
  }
}
