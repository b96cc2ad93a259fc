/**
 * The names that `written` is a slip of the pen away from: those at the least distance, within one edit, or two where
 * the name is longer than four letters. An edit is a letter too many, too few, another, or two of them swapped.
 */
export function nearest(written: string, names: Iterable<string>): readonly string[] {
  let best = 3;
  let found: string[] = [];
  for (const name of names) {
    const allowed = Math.min(best, name.length > 4 ? 2 : 1);
    const edits = distance(written, name, allowed);
    if (edits > allowed) continue;
    if (edits < best) found = [];
    best = edits;
    found.push(name);
  }
  return found;
}

/** Edits between two texts; any number above `limit` once that is passed. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) edits = Math.min(edits, at(before, j - 2) + 1);
      row.push(edits);
    }
    // Every later row is built on this one, or by a swap on the one before: it can only be worse.
    if (Math.min(...row) > limit && Math.min(...previous) >= limit) return limit + 1;
    before = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
