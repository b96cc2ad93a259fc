/** Groups of what has the same key, in the order in which it came, each of at most `size`. */
export function group<T>(items: readonly T[], size: number, keyOf: (item: T) => string): T[][] {
  const open = new Map<string, T[]>();
  const groups: T[][] = [];
  for (const item of items) {
    const key = keyOf(item);
    let last = open.get(key);
    if (last === undefined || last.length === size) {
      last = [];
      open.set(key, last);
      groups.push(last);
    }
    last.push(item);
  }
  return groups;
}
