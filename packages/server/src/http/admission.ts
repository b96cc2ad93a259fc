/**
 * Decides whether one connection more is welcome. Both limits are of this node; 0 switches one off.
 */
export interface Admission {
  /** Status line to refuse a handshake with, undefined to welcome it. A welcomed one counts. */
  refuse(): string | undefined;
  /** Handshakes refused because of the connection limit. */
  readonly refused: () => number;
}

/** Asked each time: they may change. */
export interface AdmissionOptions {
  /** Connections at a time. */
  readonly connectionLimit: number;
  /** Connections a second; as many may come at once. */
  readonly connectionRateLimit: number;
  /** Connections now. */
  readonly connections: () => number;
  /** False while the node is going down. */
  readonly accepting: () => boolean;
}

const UNAVAILABLE = '503 Service Unavailable';

export function createAdmission(options: AdmissionOptions): Admission {
  let tokens = options.connectionRateLimit;
  let filled = performance.now();
  let refused = 0;

  /** A bucket of `rate` tokens into which `rate` a second flow. */
  function takeToken(rate: number): boolean {
    const now = performance.now();
    tokens = Math.min(rate, tokens + ((now - filled) / 1000) * rate);
    filled = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  }

  return {
    refuse() {
      if (!options.accepting()) return UNAVAILABLE;
      const { connectionLimit, connectionRateLimit: rate } = options;
      if (connectionLimit > 0 && options.connections() >= connectionLimit) {
        refused++;
        return UNAVAILABLE;
      }
      return rate > 0 && !takeToken(rate) ? UNAVAILABLE : undefined;
    },
    refused: () => refused,
  };
}
