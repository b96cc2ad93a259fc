import { Redis } from 'ioredis';
import type { RedisOptions, ShardAddress } from './options.ts';
import { nodeTls } from './connect.ts';

/** What a master that lives is still given when its place has been taken, as planned, is gone: so it is not long. */
const intervalMs = 1000;

/**
 * Asks the Sentinels every second who the master is. A master that was cut off together with this process goes on
 * answering, so its connections alone would never tell.
 */
export class SentinelWatch {
  readonly #address: Extract<ShardAddress, { kind: 'sentinel' }>;
  readonly #options: RedisOptions;
  readonly #changed: () => void;
  #timer: NodeJS.Timeout | undefined;
  #master = '';
  #turn = 0;
  #asking = false;

  /** @param changed another master than before is named */
  constructor(
    address: Extract<ShardAddress, { kind: 'sentinel' }>,
    options: RedisOptions,
    changed: () => void,
  ) {
    this.#address = address;
    this.#options = options;
    this.#changed = changed;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), intervalMs).unref();
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const master = await this.#ask();
    this.#asking = false;
    // The next one may know.
    if (master === '') this.#turn++;
    else if (this.#master === '') this.#master = master;
    else if (this.#master !== master) {
      this.#master = master;
      this.#changed();
    }
  }

  /** @returns "" where there is no answer */
  async #ask(): Promise<string> {
    const { sentinels, master, sentinelUser, sentinelPassword, sentinelTls } = this.#address;
    const client = new Redis({
      ...sentinels[this.#turn % sentinels.length],
      ...(sentinelUser === '' ? {} : { username: sentinelUser }),
      ...(sentinelPassword === '' ? {} : { password: sentinelPassword }),
      ...(sentinelTls === undefined ? {} : { tls: nodeTls(sentinelTls) }),
      protocol: this.#options.force_resp2 ? 2 : 3,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: null,
      connectTimeout: this.#options.connect_timeout,
      commandTimeout: this.#options.io_timeout,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      const answer = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master);
      return Array.isArray(answer) ? answer.join(':') : '';
    } catch {
      return '';
    } finally {
      client.disconnect();
    }
  }
}
