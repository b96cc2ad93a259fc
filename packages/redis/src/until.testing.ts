/** Resolves when the condition holds; rejects when it has not for thirty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`in vain waited until ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
