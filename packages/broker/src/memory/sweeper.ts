/** Milliseconds between two looks for what is over. */
const interval = 1000;

/**
 * Calls `sweep` from time to time, and again on the next turn of the event loop as long as it says that there is more:
 * other work comes between, and the sweeper keeps up however much ends at once. Does not keep the process alive.
 * @returns stops it
 */
export function startSweeper(sweep: () => boolean): () => void {
  let more: NodeJS.Immediate | undefined;
  const run = (): void => {
    more = sweep() ? setImmediate(run).unref() : undefined;
  };
  const timer = setInterval(() => {
    if (more === undefined) run();
  }, interval).unref();
  return () => {
    clearInterval(timer);
    clearImmediate(more);
  };
}
