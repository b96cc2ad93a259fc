/** Where an error of a handler goes when nobody asked for it: seen, and harmless. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
