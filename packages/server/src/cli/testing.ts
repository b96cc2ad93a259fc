import { directory } from '../config/testing.ts';
import { run } from './run.ts';

export interface Ran {
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Standard error. */
  readonly err: string;
}

/** A working directory with the given files, and the commands run in it. */
export function place(files: Readonly<Record<string, string>> = {}) {
  const cwd = directory(files);
  return {
    cwd,
    gyre: async (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> => {
      let [out, err] = ['', ''];
      const code = await run(argv, {
        env,
        cwd,
        color: false,
        print: (text) => (out += text),
        complain: (text) => (err += text),
      });
      return { code, out, err };
    },
  };
}
