const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const whole = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const piece = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds of a duration as Go writes it (`1m30s`, `100ms`, `0`); undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  const found = whole.exec(text);
  if (!found) return undefined;
  let ms = 0;
  for (const [, amount, unit] of (found[2] ?? '').matchAll(piece)) {
    ms += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  }
  // Whole nanoseconds, so that "1.1s" is 1100 whatever the floating point says.
  const exact = Math.round(ms * 1e6) / 1e6;
  return found[1] === '-' ? -exact : exact;
}

/** The shortest Go duration for milliseconds: 90000 is `1m30s`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let left = ms;
  let text = '';
  for (const [unit, size] of [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const) {
    const amount = Math.floor(left / size);
    if (amount > 0) text += `${amount}${unit}`;
    left -= amount * size;
  }
  return left > 0 ? `${text}${Math.round(left * 1e6)}ns` : text;
}
