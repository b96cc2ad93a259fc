import { errors, disconnects, unsubscribes } from './gen/codes.ts';

/**
 * A refusal that the asker is told: an error object in a reply, of the client protocol or of the server API.
 * Thrown where it is found, caught once by whoever writes replies.
 */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: number;
  /** The same request may succeed later. */
  readonly temporary: boolean;

  constructor(code: number, message: string, temporary = false) {
    super(message);
    this.code = code;
    this.temporary = temporary;
  }
}

/** The end of a connection, with the code and reason that its client is told. */
export class Disconnect extends Error {
  override readonly name = 'Disconnect';
  readonly code: number;
  readonly reason: string;
  /** For the log, where the code does not say it all; the client is not told. */
  readonly detail: string | undefined;

  constructor(code: number, reason: string, detail?: string) {
    super(`disconnect ${code}: ${reason}`);
    this.code = code;
    this.reason = reason;
    this.detail = detail;
  }
}

/** Why a subscription ended. Codes from 2500 make a client subscribe again. */
export interface UnsubscribeReason {
  readonly code: number;
  readonly reason: string;
}

export type ErrorName = keyof typeof errors;
export type DisconnectName = keyof typeof disconnects;

/**
 * An error of `proto/codes.json` by name.
 * @param message said instead of the table's, where a reader is helped by more; code and `temporary` stay
 */
export function clientError(name: ErrorName, message?: string): ClientError {
  const row = errors[name];
  return new ClientError(row.code, message ?? row.message, row.temporary);
}

/**
 * A disconnect of `proto/codes.json` by name.
 * @param detail for the log, where the code does not say it all
 */
export function disconnect(name: DisconnectName, detail?: string): Disconnect {
  const row = disconnects[name];
  return new Disconnect(row.code, row.reason, detail);
}

export { errors as errorCodes, disconnects as disconnectCodes, unsubscribes as unsubscribeReasons };
