import type { Server } from '../compose.ts';
import { ConfigError, loadConfig, type LoadedConfig, type LoadInput } from '../config/load.ts';
import { reloadConfig } from '../config/reload.ts';
import type { RootLogger } from '../logger.ts';

/**
 * Reads the configuration again and lets the server go on by it. What cannot change is said in the log, by name; where
 * the new one cannot be used, the log says why, and nothing changes.
 * @param started what the server was started with
 * @returns what it goes on by; undefined where nothing has changed
 */
export function reload(
  input: LoadInput,
  started: LoadedConfig,
  server: Server,
  log: RootLogger,
): LoadedConfig['config'] | undefined {
  try {
    const next = loadConfig(input);
    // Without its file a server would go on by defaults, and take everybody's rights away.
    if (next.file !== started.file) throw new ConfigError([`${started.file ?? 'config.json'} came or went`]);
    const { config, kept } = reloadConfig(started.config, next.config);
    server.reload(config);
    for (const warning of next.warnings) log.warn?.(warning);
    for (const path of kept) log.warn?.(`${path} has changed: that takes a restart`);
    log.info?.('configuration reloaded');
    log.setLevel(config.log.level);
    return config;
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    log.error?.('configuration not reloaded, the former one stays', { because });
    return undefined;
  }
}
