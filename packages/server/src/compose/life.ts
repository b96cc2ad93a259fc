import type { Config } from '../config/schema.ts';
import type { Engines } from './engines.ts';

/** Milliseconds without trouble after which a node that had lost Redis is ready again. */
const READY_AGAIN = 1500;

/** Whether a server takes what comes: by where it is in its life, and by what it hears of Redis. */
export class Life {
  /** `leaving`: all goes on, but nobody new should come. `ending`: no handshake is taken any more. */
  phase: 'serving' | 'leaving' | 'ending' = 'serving';
  readonly #engines: Pick<Engines, 'standing' | 'verified'>;
  readonly #options: () => Config['health'];
  #unverifiedAt = -Infinity;

  /** @param options asked each time: they may change */
  constructor(engines: Pick<Engines, 'standing' | 'verified'>, options: () => Config['health']) {
    this.#engines = engines;
    this.#options = options;
  }

  /** Why no handshake is welcome, undefined where it is. */
  barred(): 'shutdown' | 'redis' | undefined {
    if (this.phase === 'ending') return 'shutdown';
    const standing = this.#engines.standing();
    const welcome = standing === 'current' || (standing === 'away' && this.#options().ready_without_redis);
    return welcome ? undefined : 'redis';
  }

  /** Why load balancers should send no clients and calls here, undefined while they should. */
  unready(): string | undefined {
    if (this.phase !== 'serving') return 'this node is ending';
    if (this.#engines.standing() === 'late') return 'this node has not caught up with the others yet';
    if (this.#options().ready_without_redis) return undefined;
    const now = performance.now();
    if (!this.#engines.verified()) {
      this.#unverifiedAt = now;
      return 'Redis does not answer';
    }
    return now - this.#unverifiedAt >= READY_AGAIN ? undefined : 'Redis has only just begun to answer again';
  }
}
