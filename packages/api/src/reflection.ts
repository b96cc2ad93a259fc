import { status, type Server, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js';
import { DecodeError, Reader } from '@gyre/protocol';
import { bytes, child, int32, list, message, string } from './field.ts';
import { descriptor } from './gen/descriptor.ts';
import { writeProtobuf } from './protobuf-messages.ts';

/**
 * gRPC server reflection: tools ask a server which services it has and what their messages look like. Both versions of
 * the protocol have the same messages. One file is described, that of the server API.
 */

/** Versions in use: older tools know the second one only. */
const services = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

/** What may be asked, by its field; fields 5 and 6 ask for extensions, of which there are none. */
const FILE_BY_NAME = 3;
const FILE_OF_SYMBOL = 4;
const LIST_SERVICES = 7;

interface Response {
  readonly originalRequest: Uint8Array;
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: Uint8Array };
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly errorResponse?: { readonly errorCode: number; readonly errorMessage: string };
}

const response = message<Response>('ServerReflectionResponse', {
  originalRequest: bytes(2),
  // A list of files on the wire, of which there is one.
  fileDescriptorResponse: child(4, message('FileDescriptorResponse', { fileDescriptorProto: bytes(1) })),
  listServicesResponse: child(
    6,
    message('ListServiceResponse', { service: list(1, message('ServiceResponse', { name: string(1) })) }),
  ),
  errorResponse: child(7, message('ErrorResponse', { errorCode: int32(1), errorMessage: string(2) })),
});

/** The one question of a request; of several the last counts. */
function questionOf(request: Buffer): { readonly kind: number; readonly text: string } {
  const reader = new Reader(request);
  let question = { kind: 0, text: '' };
  while (reader.next()) {
    const kind = reader.field;
    if ([FILE_BY_NAME, FILE_OF_SYMBOL, LIST_SERVICES].includes(kind))
      question = { kind, text: reader.string() };
    else reader.skip();
  }
  return question;
}

const FILE = 'api.proto';
const file = { fileDescriptorProto: Buffer.from(descriptor, 'base64') };

function answer(request: Buffer, service: string): Response {
  const { kind, text } = questionOf(request);
  const scope = service.slice(0, service.lastIndexOf('.') + 1);
  if (kind === LIST_SERVICES) {
    return { originalRequest: request, listServicesResponse: { service: [{ name: service }] } };
  }
  const known = kind === FILE_BY_NAME ? text === FILE : kind === FILE_OF_SYMBOL && text.startsWith(scope);
  if (known) return { originalRequest: request, fileDescriptorResponse: file };
  return {
    originalRequest: request,
    errorResponse: { errorCode: status.NOT_FOUND, errorMessage: 'not found' },
  };
}

const identity = (encoded: Buffer): Buffer => encoded;

const definitionOf = (name: string): ServiceDefinition => ({
  ServerReflectionInfo: {
    path: `/${name}/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
});

/**
 * Lets a server tell what it serves.
 * @param service its full name; it stands in `proto/api.proto`
 */
export function addReflection(server: Server, service: string): void {
  function serve(call: ServerDuplexStream<Buffer, Buffer>): void {
    call.on('data', (request: Buffer) => {
      try {
        call.write(writeProtobuf(response, answer(request, service)));
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        call.emit('error', { code: status.INVALID_ARGUMENT, details: error.message });
      }
    });
    call.on('end', () => call.end());
  }
  for (const name of services) server.addService(definitionOf(name), { ServerReflectionInfo: serve });
}
