import { readFileSync } from 'node:fs';
import protobufjs from 'protobufjs';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { teardown } from './teardown.ts';

const source = readFileSync(new URL('../../proto/api.proto', import.meta.url), 'utf8');
const { root } = protobufjs.parse(source);
root.resolveAll();
const service = root.lookupService('centrifugal.centrifugo.api.CentrifugoApi');

/** How a call ended that did not succeed. */
export type GrpcError = ServiceError;

export interface GrpcStub {
  /**
   * Calls a method of `proto/api.proto`; fields are in camelCase, 64-bit numbers are numbers.
   * @throws GrpcError where the call does not end with OK
   */
  call<Answer = Record<string, unknown>>(method: string, request: object): Promise<Answer>;
}

/** What TLS is spoken with: an authority of the server, a certificate of the client where there is one. */
export interface GrpcTls {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * A client of the server API over gRPC, on loopback. It is closed when the test, or file, that made it ends.
 * @param metadata sent with each call
 * @param tls absent: without
 */
export function grpcStub(
  port: number,
  metadata: Readonly<Record<string, string>> = {},
  tls?: GrpcTls,
): GrpcStub {
  const secured = tls && credentials.createSsl(tls.ca, tls.key, tls.cert);
  const client = new Client(`127.0.0.1:${port}`, secured ?? credentials.createInsecure());
  teardown(async () => client.close());
  return {
    call<Answer>(method: string, request: object): Promise<Answer> {
      const { requestType, responseType } = service.methods[method]!;
      const [asked, told] = [service.lookupType(requestType), service.lookupType(responseType)];
      const sent = new Metadata();
      for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
      return new Promise<Answer>((resolve, reject) => {
        client.makeUnaryRequest(
          `/centrifugal.centrifugo.api.CentrifugoApi/${method}`,
          (message: object) => Buffer.from(asked.encode(asked.fromObject(message)).finish()),
          (bytes) => told.toObject(told.decode(bytes), { longs: Number }) as Answer,
          request,
          sent,
          (error: ServiceError | null, answer?: Answer) =>
            answer === undefined ? reject(error ?? new Error('no answer')) : resolve(answer),
        );
      });
    },
  };
}
