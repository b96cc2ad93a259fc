import { createDelta, type Publication } from '@gyre/protocol';

/** The publications as a chain of patches: the first is full, each further one a patch where that is smaller. */
export function chain(publications: readonly Publication[]): Publication[] {
  return publications.map((publication, i) => {
    const base = publications[i - 1];
    const data = base === undefined ? undefined : createDelta(base.data, publication.data);
    return data === undefined ? publication : { ...publication, data, delta: true };
  });
}
