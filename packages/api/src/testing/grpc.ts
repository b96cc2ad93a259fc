import { readFileSync } from 'node:fs';
import { Client, credentials, Metadata, Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js';
import protobufjs from 'protobufjs';
import { SERVICE, type GrpcApi } from '../grpc.ts';

const source = readFileSync(new URL('../../../../proto/api.proto', import.meta.url), 'utf8');

/** What stands in `proto/api.proto`, read by a library that knows nothing of ours. */
export const proto = protobufjs.parse(source, { keepCase: false }).root.resolveAll();

export const service = proto.lookupService(SERVICE);

/** A message by its name. */
export const messageType = (name: string): protobufjs.Type =>
  proto.lookupType(`centrifugal.centrifugo.api.${name}`);

/** A server on loopback, and a client of it. */
export interface GrpcDoor {
  readonly port: number;
  /**
   * Calls a method with a message as an object, names in camelCase, and gives the answer as one.
   * @throws ServiceError where the call ends with another status than OK
   */
  call(method: string, request: object, metadata?: Readonly<Record<string, string>>): Promise<object>;
  /** The same with bytes. */
  send(method: string, request: Buffer, metadata?: Readonly<Record<string, string>>): Promise<Buffer>;
  close(): void;
}

/** Serves on a port of its own. */
export async function serveGrpc(api: GrpcApi): Promise<GrpcDoor> {
  const server = new Server({ interceptors: [...api.interceptors] });
  api.addTo(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const identity = (bytes: Buffer): Buffer => bytes;

  function send(method: string, request: Buffer, metadata = {}): Promise<Buffer> {
    const sent = new Metadata();
    for (const [name, value] of Object.entries<string>(metadata)) sent.set(name, value);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/${SERVICE}/${method}`,
        identity,
        identity,
        request,
        sent,
        (error: ServiceError | null, answer?: Buffer) =>
          answer === undefined ? reject(error ?? new Error('no answer')) : resolve(answer),
      );
    });
  }

  return {
    port,
    send,
    async call(method, request, metadata) {
      const types = service.methods[method];
      if (types === undefined) throw new Error(`no method ${method}`);
      const asked = messageType(types.requestType);
      const told = messageType(types.responseType);
      const bytes = Buffer.from(asked.encode(asked.fromObject(request)).finish());
      const answer = told.decode(await send(method, bytes, metadata));
      return told.toObject(answer, { longs: Number }) as object;
    },
    close() {
      client.close();
      server.forceShutdown();
    },
  };
}
