import { run, start } from './gyre.ts';

/** Gyre as a black box: a process, reached by its URLs only. */
export const gyre = { start, run };

export type { Gyre, StartOptions } from './gyre.ts';
export type { Exit } from './program.ts';
export { api, type ApiAnswer } from './api.ts';
export { connectClient, newClient, payloads, type ClientOptions } from './client.ts';
export { opcodes } from './frames.ts';
export { grpcStub, type GrpcError, type GrpcStub } from './grpc.ts';
export { inSeconds, jwt } from './jwt.ts';
export { freePort } from './port.ts';
export {
  HandshakeRefused,
  rawSocket,
  type Closed,
  type RawSocket,
  type RawSocketOptions,
} from './raw-socket.ts';
export { record, recordClient, type Recorded } from './record.ts';
export { teardown } from './teardown.ts';
export { until, within, type UntilOptions } from './until.ts';
export { encode, encodings, openWire, wire, type ConnectedWire, type Encoding, type Wire } from './wire.ts';
export type * from './wire-messages.ts';
