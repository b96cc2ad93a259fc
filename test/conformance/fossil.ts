const digits = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');

/**
 * Applies a fossil patch, as a client does: the size of the target, pieces to copy (`size@offset,`) or to insert
 * (`size:bytes`), and a checksum, which is left to the JSON of the target here.
 * @throws Error where the patch does not fit
 */
export function applyPatch(base: Buffer, patch: Buffer): Buffer {
  const [head] = patch.toString('latin1').split('\n', 1);
  const size = numberOf(head ?? '');
  const parts: Buffer[] = [];
  let at = (head?.length ?? 0) + 1;
  for (;;) {
    const [, digitsOf = '', operator = ''] =
      /^([0-9A-Za-z_~]+)([@:;])/.exec(patch.toString('latin1', at)) ?? [];
    const count = numberOf(digitsOf);
    at += digitsOf.length + 1;
    if (operator === '@') {
      const comma = patch.indexOf(',', at);
      const offset = numberOf(patch.toString('latin1', at, comma));
      parts.push(base.subarray(offset, offset + count));
      at = comma + 1;
    } else if (operator === ':') {
      parts.push(patch.subarray(at, at + count));
      at += count;
    } else {
      const target = Buffer.concat(parts);
      if (operator !== ';' || target.length !== size)
        throw new Error(`no patch of this base: ${patch.toString()}`);
      return target;
    }
  }
}

function numberOf(text: string): number {
  return Buffer.from(text).reduce((value, digit) => value * 64 + digits.indexOf(digit), 0);
}
