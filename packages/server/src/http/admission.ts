/** Why a handshake is refused. */
export type Refusal =
  /** The node is going down. */
  | 'shutdown'
  /** It does not know what the others know: Redis is away, or it has not caught up with it. */
  | 'redis'
  | 'connection_limit'
  | 'connecting_limit'
  | 'loop_lag'
  | 'connection_rate_limit';

/**
 * Decides whether one connection more is welcome. All limits are of this node; 0 switches one off.
 */
export interface Admission {
  /** Whether to refuse a handshake. A welcomed one counts. */
  refuse(): boolean;
  /** Handshakes refused so far. */
  readonly refusals: Readonly<Record<Refusal, number>>;
}

/** Asked each time: they may change. */
export interface AdmissionOptions {
  /** Connections at a time. */
  readonly connectionLimit: number;
  /** Connections at a time that are open and not connected yet. */
  readonly connectingLimit: number;
  /** Connections a second; as many may come at once. */
  readonly connectionRateLimit: number;
  /** Milliseconds that the event loop may lag behind. */
  readonly loopLagLimit: number;
  /** Connections now: all that are open, and those of them that are connected. */
  readonly connections: () => { readonly open: number; readonly clients: number };
  /** Milliseconds that the event loop lags behind now. */
  readonly loopLag: () => number;
  /** Why nobody is welcome now, undefined where that is not so. */
  readonly barred: () => 'shutdown' | 'redis' | undefined;
}

export function createAdmission(options: AdmissionOptions): Admission {
  let tokens = options.connectionRateLimit;
  let filled = performance.now();
  const refusals: Record<Refusal, number> = {
    shutdown: 0,
    redis: 0,
    connection_limit: 0,
    connecting_limit: 0,
    loop_lag: 0,
    connection_rate_limit: 0,
  };

  /** A bucket of `rate` tokens into which `rate` a second flow. */
  function takeToken(rate: number): boolean {
    const now = performance.now();
    tokens = Math.min(rate, tokens + ((now - filled) / 1000) * rate);
    filled = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  }

  function reason(): Refusal | undefined {
    const { connectionLimit, connectingLimit, connectionRateLimit: rate, loopLagLimit } = options;
    const barred = options.barred();
    if (barred !== undefined) return barred;
    if (connectionLimit > 0 || connectingLimit > 0) {
      const { open, clients } = options.connections();
      if (connectionLimit > 0 && open >= connectionLimit) return 'connection_limit';
      if (connectingLimit > 0 && open - clients >= connectingLimit) return 'connecting_limit';
    }
    if (loopLagLimit > 0 && options.loopLag() > loopLagLimit) return 'loop_lag';
    // Last: a token is only for who is let in.
    return rate > 0 && !takeToken(rate) ? 'connection_rate_limit' : undefined;
  }

  return {
    refuse() {
      const why = reason();
      if (why === undefined) return false;
      refusals[why]++;
      return true;
    },
    refusals,
  };
}
