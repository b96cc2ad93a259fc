import {
  Metadata,
  ServerInterceptingCall,
  status,
  type sendUnaryData,
  type Server,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { DecodeError } from '@gyre/protocol';
import { isSecret } from './authorize.ts';
import { methodNames, methods, type Executor, type Log } from './executor.ts';
import { bytes, int32, list, message, string } from './field.ts';
import { isLarge } from './json-write.ts';
import type { ApiError, MethodName, Outcome } from './messages.ts';
import {
  readProtobuf,
  writeLargeProtobufInside,
  writeProtobuf,
  writeProtobufInside,
} from './protobuf-messages.ts';
import { addReflection } from './reflection.ts';
import { error as errorMessage } from './schema.ts';

/** Key and error mode are read anew for each call, so that they may change. */
export interface GrpcOptions {
  readonly executor: Executor;
  /** "" lets everybody in. */
  readonly key: string;
  /** `transport`: errors as gRPC statuses for everybody, not only for who asks by metadata. */
  readonly errorMode: '' | 'transport';
  /** Tell callers which methods there are, and what their messages look like. */
  readonly reflection: boolean;
  readonly log: Log;
}

/** The server API as a gRPC service, to be put on a server. */
export interface GrpcApi {
  /** What the server is made with: a call without the key is refused before its message is read. */
  readonly interceptors: readonly ServerInterceptor[];
  addTo(server: Server): void;
}

/** The package of `proto/api.proto`. */
const PACKAGE = 'centrifugal.centrifugo.api';
export const SERVICE = `${PACKAGE}.CentrifugoApi`;

const CALLER = { protocol: 'grpc', wording: 'unknown channel' } as const;

/** Fields of every `<Name>Response`. */
const ERROR = 1;
const RESULT = 2;

/** What ends a call in place of an answer. */
interface Refusal {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

type Answer = Buffer | Refusal;

/** gRPC status by error code, for callers that asked for errors as statuses. */
const statuses = new Map([
  [102, status.NOT_FOUND],
  [104, status.NOT_FOUND],
  [107, status.INVALID_ARGUMENT],
  [108, status.INVALID_ARGUMENT],
  [112, status.OUT_OF_RANGE],
  [113, status.ALREADY_EXISTS],
]);

/** `google.rpc.Status`, which tells the parts of a status that its code and text cannot. */
const richStatus = message<{ code: number; message: string; details: readonly Any[] }>('Status', {
  code: int32(1),
  message: string(2),
  details: list(3, message<Any>('Any', { typeUrl: string(1), value: bytes(2) })),
});

interface Any {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** An error of the API as a status: its text, and the error itself as a detail of it. */
function refusalOf(error: ApiError): Refusal {
  const code = statuses.get(error.code) ?? status.INTERNAL;
  const value = writeProtobuf(errorMessage, error);
  const details = [{ typeUrl: `type.googleapis.com/${PACKAGE}.${errorMessage.name}`, value }];
  const metadata = new Metadata();
  metadata.set(
    'grpc-status-details-bin',
    writeProtobuf(richStatus, { code, message: error.message, details }),
  );
  return { code, details: error.message, metadata };
}

/** A result or error as `<Name>Response`, in slices of the event loop where there is very much of it. */
function writeResponse(name: MethodName, outcome: Outcome<object>): Buffer | Promise<Buffer> {
  if (outcome.error !== undefined) return writeProtobufInside(ERROR, errorMessage, outcome.error);
  const { result } = methods[name];
  // The answer of a batch is its replies themselves.
  if (name === 'batch') return writeProtobuf(result, outcome.result);
  const write = isLarge(result, outcome.result) ? writeLargeProtobufInside : writeProtobufInside;
  return write(RESULT, result, outcome.result);
}

const identity = (encoded: Buffer): Buffer => encoded;

/** `presence_stats` is `PresenceStats`; `rpc` is `RPC`. */
function grpcName(name: MethodName): string {
  if (name === 'rpc') return 'RPC';
  return name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Messages stay bytes: they are read and written by the handlers, which know what to answer where that fails. */
const definition: ServiceDefinition = Object.fromEntries(
  methodNames.map(grpcName).map((name) => [
    name,
    {
      path: `/${SERVICE}/${name}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  ]),
);

function isAllowed(metadata: Metadata, key: string): boolean {
  return key === '' || isSecret(`apikey ${key}`)(String(metadata.get('authorization')[0] ?? ''));
}

function keyInterceptor(options: GrpcOptions): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            if (isAllowed(metadata, options.key)) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: 'unauthenticated' });
          },
        }),
    });
}

/**
 * The server API over gRPC: the methods of HTTP by the same names and messages, payloads any bytes. A method that is not
 * served is UNIMPLEMENTED, a message that cannot be read INVALID_ARGUMENT.
 */
export function grpc(options: GrpcOptions): GrpcApi {
  const { executor, log } = options;

  async function answer(name: MethodName, call: ServerUnaryCall<Buffer, Buffer>): Promise<Answer> {
    try {
      const request = readProtobuf(methods[name].request, call.request);
      const outcome: Outcome<object> = await executor.call(name, request as never, CALLER);
      const mapped =
        options.errorMode === 'transport' || call.metadata.get('x-centrifugo-error-mode')[0] === 'transport';
      // The answer of a batch has no place for an error of its own.
      if (outcome.error !== undefined && (mapped || name === 'batch')) return refusalOf(outcome.error);
      return await writeResponse(name, outcome);
    } catch (error) {
      if (error instanceof DecodeError) return { code: status.INVALID_ARGUMENT, details: error.message };
      log.error?.('gRPC call failed', { error });
      return { code: status.INTERNAL, details: 'internal server error' };
    }
  }

  const handlers: UntypedServiceImplementation = Object.fromEntries(
    methodNames.map((name) => [
      grpcName(name),
      async (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): Promise<void> => {
        const answered = await answer(name, call);
        if (Buffer.isBuffer(answered)) callback(null, answered);
        else callback(answered);
      },
    ]),
  );

  return {
    interceptors: [keyInterceptor(options)],
    addTo(server) {
      server.addService(definition, handlers);
      if (options.reflection) addReflection(server, SERVICE);
    },
  };
}
