/** Partitions of a shard. Every name belongs to one, and all keys of a name carry the hash tag of its partition. */
export const partitions = 128;

const slots = 16_384;

/** CRC16 (XMODEM) of the bytes, as Redis Cluster computes the slot of a key. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] ?? 0)) & 0xffff;
  return crc;
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

/** The slot of every key that carries the tag. */
export function slotOf(tag: string): number {
  return crc16(Buffer.from(tag)) % slots;
}

/**
 * The hash tags of the partitions, in the order of their slots. Each has its slot in the middle of its share of the slot
 * space, so that they spread evenly over any number of masters that share it evenly. They are part of the layout in
 * Redis: a change moves every key.
 */
export const tags: readonly string[] = spreadTags();

/** The smallest number whose slot lies in the middle of the share, for each share. */
function spreadTags(): string[] {
  const share = slots / partitions;
  const found: string[] = [];
  for (let number = 0, left = partitions; left > 0; number++) {
    const slot = slotOf(`${number}`);
    const within = slot % share;
    const partition = (slot - within) / share;
    if (found[partition] !== undefined || Math.abs(within - share / 2) > share / 32) continue;
    found[partition] = `${number}`;
    left--;
  }
  return found;
}

/** The hash tag of a name's partition. */
export function tagOf(name: string): string {
  return tags[hash(name, 0) % partitions] ?? '';
}

/**
 * A key or bus channel. The tag is ours and comes before anything that a user chose, so no name decides its slot; the
 * type comes before the name, so two keys are the same only where type and name are.
 * @param prefix without braces
 * @param type without a colon
 */
export function redisKey(prefix: string, tag: string, type: string, name: string): string {
  return `${prefix}{${tag}}:${type}:${name}`;
}

/** 32 well mixed bits of a text; another seed gives others. Part of the layout in Redis. */
export function hash(text: string, seed: number): number {
  let state = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}
