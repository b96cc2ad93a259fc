import { pino, type Logger as Pino } from 'pino';
import { openOutput, type Flushed } from './log-output.ts';

/** A level that is off has no method: `log.debug?.(…)` then costs nothing, its arguments are not even made. */
export interface Logger {
  readonly trace?: Write;
  readonly debug?: Write;
  readonly info?: Write;
  readonly warn?: Write;
  readonly error?: Write;
  readonly fatal?: Write;
}

/** The logger of the process. */
export interface RootLogger extends Logger {
  /** Methods come and go; whoever holds the logger need not be told. */
  setLevel(level: string): void;
  /** Resolves when all lines are written, after so many milliseconds at the latest. For the end of the process. */
  flush(ms: number): Promise<Flushed>;
}

export type Write = (message: string, fields?: object) => void;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * A log of JSON lines: level, time (RFC 3339), message, fields; an `error` field with its stack. Whoever reads it slowly,
 * or not at all, holds nobody up.
 * @param level the least severe one that is written, `none` for nothing
 * @param file to append to, "" for standard error
 * @throws Error where the file cannot be opened
 */
export function createLogger({ level, file }: { readonly level: string; readonly file: string }): RootLogger {
  const output = openOutput(file, (lines) =>
    log.warn({ lines }, 'the log was not read fast enough, lines are missing'),
  );
  const log = pino(
    {
      level: 'trace',
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    output,
  );
  const writers = LEVELS.map((name) => [name, writer(log, name)] as const);
  const methods: { -readonly [L in keyof Logger]: Write } = {};
  const root = Object.assign(methods, {
    flush: (ms: number) => output.flush(ms),
    setLevel(least: string) {
      const from = LEVELS.findIndex((name) => name === least);
      for (const [index, [name, write]] of writers.entries()) {
        if (from !== -1 && index >= from) methods[name] = write;
        else delete methods[name];
      }
    },
  });
  root.setLevel(level);
  return root;
}

function writer(log: Pino, level: (typeof LEVELS)[number]): Write {
  return (message, fields) => (fields === undefined ? log[level](message) : log[level](fields, message));
}
