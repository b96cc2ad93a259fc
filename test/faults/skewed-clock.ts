/**
 * Loaded into a server before anything else: its wall clock goes wrong by `CLOCK_SKEW` milliseconds, and by an hour more
 * at each SIGUSR2. Programs of Node.js see the wall clock through `Date` alone; timers do not follow it.
 */
const RealDate = Date;
let skew = Number(process.env['CLOCK_SKEW']);
process.on('SIGUSR2', () => (skew += 3_600_000));

const now = (): number => RealDate.now() + skew;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
