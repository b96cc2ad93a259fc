import { endpointRule } from './endpoint.ts';
import { decodeToken, invalid, OTHER_ALGORITHM, type SignatureCheck } from './jwt.ts';
import type { KeySets } from './key-sets.ts';
import type { TokenSection } from './options.ts';

const MAX_KID = 256;

/**
 * A check against keys that are fetched: the token's header names the key, its claims the address where that has
 * placeholders. Keys of the configuration do not count.
 * @param path where the section stands in the configuration, for error messages
 * @throws Error where the address, or a regex that fills it, is not fit
 */
export function checkByKeySets(section: TokenSection, path: string, keySets: KeySets): SignatureCheck {
  const endpointOf = endpointRule(section, path);
  return async (token) => {
    const decoded = decodeToken(token);
    if ('refused' in decoded) return decoded;
    // Looked at before anything is fetched; the key's own check decides.
    if (!/^([RE]S(256|384|512)|EdDSA)$/.test(decoded.header.alg)) return invalid(OTHER_ALGORITHM);
    const { kid } = decoded.header as { kid?: unknown };
    if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID) {
      return invalid('header kid, the id of the key, is missing');
    }
    const endpoint = endpointOf(decoded.payload as Readonly<Record<string, unknown>>);
    if (endpoint === undefined) return invalid('its claims do not lead to the address of a key set');
    const check = await keySets.find(endpoint, kid);
    return check === undefined ? invalid('the key set has no key of this kid') : check(token);
  };
}
