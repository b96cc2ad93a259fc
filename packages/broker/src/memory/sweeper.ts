/** Milliseconds between two looks for what is over. */
const interval = 250;

/**
 * Calls `sweep` from time to time, and again on the next turn of the event loop as long as it says that there is more:
 * other work comes between, and the sweeper keeps up however much ends at once. Does not keep the process alive.
 * @returns stops it
 */
export function startSweeper(sweep: () => boolean): () => void {
  let more: NodeJS.Immediate | undefined;
  const run = (): void => {
    if (sweep()) more = setImmediate(run).unref();
    else timer.refresh();
  };
  const timer = setTimeout(run, interval).unref();
  return () => {
    clearTimeout(timer);
    clearImmediate(more);
  };
}
