import { pino, type Logger as Pino } from 'pino';

/** A level that is off has no method: `log.debug?.(…)` then costs nothing, its arguments are not even made. */
export interface Logger {
  readonly trace?: Write;
  readonly debug?: Write;
  readonly info?: Write;
  readonly warn?: Write;
  readonly error?: Write;
  readonly fatal?: Write;
}

export type Write = (message: string, fields?: object) => void;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * A log of JSON lines: level, time (RFC 3339), message, fields; an `error` field with its stack.
 * @param file to append to, "" for standard error
 */
export function createLogger({ level, file }: { readonly level: string; readonly file: string }): Logger {
  if (level === 'none') return {};
  const log = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ dest: file === '' ? 2 : file, sync: true, mkdir: true }),
  );
  return Object.fromEntries(
    LEVELS.filter((name) => log.isLevelEnabled(name)).map((name) => [name, writer(log, name)]),
  );
}

function writer(log: Pino, level: (typeof LEVELS)[number]): Write {
  return (message, fields) => (fields === undefined ? log[level](message) : log[level](fields, message));
}
