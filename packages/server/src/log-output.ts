import { mkdirSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { pino } from 'pino';

/** Bytes that may wait for whoever reads the log, some ten thousand lines. What comes on top is dropped, and counted. */
const WAITING = 8 * 1024 * 1024;

/** What became of the lines that waited: `left` ones are lost with the process, `stuck` ones keep it from exiting. */
export type Flushed = 'written' | 'left' | 'stuck';

/** Where the log goes. Whoever reads it slowly, or not at all, holds nobody up. */
export interface Output {
  write(line: string): void;
  /** Resolves when all is written, after so many milliseconds at the latest. */
  flush(ms: number): Promise<Flushed>;
}

/**
 * @param file to append to, "" for standard error
 * @param missing told how many lines were dropped, when the next one would not be
 * @throws Error where the file cannot be opened
 */
export function openOutput(file: string, missing: (lines: number) => void): Output {
  const { stderr } = process;
  // A file may be given as standard error, too, and a terminal is not written to by the stream without waiting.
  if (file === '' && stderr instanceof Socket && !stderr.isTTY) return pipeOutput(stderr, missing);
  return fileOutput(file === '' ? 2 : opened(file), missing);
}

/** A pipe is written to by the loop. A thread would hang in it where nobody reads, and the process could not exit. */
function pipeOutput(pipe: Socket, missing: (lines: number) => void): Output {
  let dropped = 0;
  // Whoever read it has gone.
  pipe.on('error', () => {});
  pipe.on('drain', () => {
    if (dropped > 0) missing(dropped);
    dropped = 0;
  });
  return {
    write: (line) => {
      if (pipe.writableLength + line.length > WAITING) dropped++;
      else pipe.write(line);
    },
    flush: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve('left'), ms);
        pipe.write('', () => {
          clearTimeout(timer);
          resolve('written');
        });
      }),
  };
}

/** A file, and a terminal, is written to by a thread, and to the end when the process exits. */
function fileOutput(fd: number, missing: (lines: number) => void): Output {
  const destination = pino.destination({ dest: fd, sync: false, maxLength: WAITING });
  let dropped = 0;
  let idle = true;
  destination.on('drop', () => dropped++);
  destination.on('drain', () => {
    idle = true;
    if (dropped > 0) missing(dropped);
    dropped = 0;
  });
  return {
    write: (line) => {
      idle = false;
      destination.write(line);
    },
    flush: async (ms) => {
      if (idle) return 'written';
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve('stuck'), ms);
        destination.once('drain', () => {
          clearTimeout(timer);
          resolve('written');
        });
      });
    },
  };
}

function opened(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  return openSync(file, 'a');
}
