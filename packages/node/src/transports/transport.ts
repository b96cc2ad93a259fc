import type { Bytes } from '@gyre/protocol';

/** What carries one connection's frames. Calls after the connection has ended are harmless. */
export interface Transport {
  /** "websocket" and the like. */
  readonly name: string;
  /** Real HTTP headers of the handshake that policy asked to keep, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /**
   * Sends a frame, in order. False when it was taken but has to wait for the peer: the session's `drained` is called
   * once it went out. What was taken is never dropped; a transport that cannot keep that promise closes.
   */
  send(frame: Bytes): boolean;
  /** Bytes taken that the operating system has not accepted yet. */
  buffered(): number;
  /** Ends the connection after all that was sent, telling code and reason the way the transport has for it. */
  close(code: number, reason: string): void;
  /** Present where pings are frames of the transport's own, not messages; their pongs go to the session's `ponged`. */
  readonly ping?: () => void;
  /** Drops the connection with whatever is under way. */
  terminate(): void;
}
