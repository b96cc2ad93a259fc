import type { Config } from '../config/load.ts';
import { ConfigError } from '../config/load.ts';

/** Checks tokens, as a server does. */
export type Tokens = Awaited<ReturnType<typeof tokensOf>>;

/**
 * The token checks of a server with this configuration. They find what else in it cannot be used: keys, patterns,
 * addresses.
 * @param complain is told why keys could not be fetched
 * @throws ConfigError for a key, address or pattern that is none
 */
export async function tokensOf(config: Config, complain: (text: string) => void) {
  // Loaded when it is needed: it comes with everything that a server is made of.
  const { makeLive } = await import('../compose/live.ts');
  const log = {
    warn: (message: string, fields?: object) => complain(`gyre: ${message} ${JSON.stringify(fields)}\n`),
  };
  try {
    return makeLive(config, log).policy.tokens;
  } catch (error) {
    throw new ConfigError([error instanceof Error ? error.message : String(error)]);
  }
}
