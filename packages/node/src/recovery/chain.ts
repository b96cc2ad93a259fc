import { createDelta, type Bytes, type Publication } from '@gyre/protocol';

interface Patch {
  readonly base: Publication;
  /** Undefined where a patch is no smaller. */
  readonly data: Bytes | undefined;
}

/** Of publications that a channel has at hand: all who come back ask for the same ones. */
const patches = new WeakMap<Publication, Patch>();

/** The publications as a chain of patches: the first is full, each further one a patch where that is smaller. */
export function chain(publications: readonly Publication[]): Publication[] {
  return publications.map((publication, i) => {
    const base = publications[i - 1];
    const data = base === undefined ? undefined : patchOf(publication, base);
    return data === undefined ? publication : { ...publication, data, delta: true };
  });
}

function patchOf(publication: Publication, base: Publication): Bytes | undefined {
  const known = patches.get(publication);
  if (known?.base === base) return known.data;
  const data = createDelta(base.data, publication.data);
  patches.set(publication, { base, data });
  return data;
}
