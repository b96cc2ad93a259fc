import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import {
  Client,
  credentials,
  status,
  type ChannelCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { grpcListener, type GrpcListener, type GrpcListenerOptions } from './listener.ts';

const pem = (name: string): string =>
  readFileSync(new URL(`../testdata/tls/${name}.pem`, import.meta.url), 'utf8');
const bytes = (name: string): Buffer => Buffer.from(pem(name));

const tls = { cert: pem('server'), key: pem('server-key') };
const identity = (encoded: Buffer): Buffer => encoded;
const definition = {
  Echo: {
    path: '/Test/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
};

/** Held calls by what they asked. */
const held = new Map<string, () => void>();
let begun: () => void = () => {};

/** Answers what it is asked; `hold` only when the test says so. */
function echo({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
  if (request.toString() !== 'hold') {
    callback(null, request);
    return;
  }
  held.set('hold', () => callback(null, request));
  begun();
}

let listener: GrpcListener;
afterEach(() => listener.close(0));

async function open(options: Partial<GrpcListenerOptions> = {}): Promise<void> {
  listener = await grpcListener(
    { address: '127.0.0.1', port: 0, maxReceiveMessageSize: 1000, ...options },
    { interceptors: [], addTo: (server) => server.addService(definition, { Echo: echo }) },
  );
}

function call(text: string, how: ChannelCredentials = credentials.createInsecure()): Promise<string> {
  const client = new Client(`localhost:${listener.port}`, how);
  onTestFinished(() => client.close());
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      '/Test/Echo',
      identity,
      identity,
      Buffer.from(text),
      (error: ServiceError | null, answer?: Buffer) =>
        answer === undefined ? reject(error ?? new Error('no answer')) : resolve(answer.toString()),
    );
  });
}

const codeOf = (error: ServiceError): number => error.code;

describe('a gRPC listener', () => {
  it('answers, on a port of its own or on every address', async () => {
    await open();
    expect(await call('hello')).toBe('hello');
    await listener.close(1000);
    await open({ address: '' });
    expect(await call('hello')).toBe('hello');
  });

  it('takes messages up to its limit', async () => {
    await open();
    expect(await call('x'.repeat(1000))).toHaveLength(1000);
    expect(await call('x'.repeat(1001)).catch(codeOf)).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('says which port it cannot have', async () => {
    await open();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const taken = grpcListener(
      { address: '127.0.0.1', port, maxReceiveMessageSize: 1000 },
      { interceptors: [], addTo: () => {} },
    );
    await expect(taken).rejects.toThrow(`cannot listen on 127.0.0.1:${port} for gRPC: `);
  });

  it('lets a call end before it closes', async () => {
    await open();
    const started = new Promise<void>((resolve) => (begun = resolve));
    const answer = call('hold');
    await started;
    const closed = listener.close(60_000);
    expect(listener.close(0)).toBe(closed);
    expect(await call('late').catch(codeOf)).toBe(status.UNAVAILABLE);
    held.get('hold')?.();
    expect(await answer).toBe('hold');
    await closed;
  });

  it('waits for a call no longer than it may', async () => {
    await open();
    const started = new Promise<void>((resolve) => (begun = resolve));
    const answer = call('hold').catch(codeOf);
    await started;
    await listener.close(10);
    expect(await answer).toBe(status.CANCELLED);
  });
});

describe('TLS', () => {
  it('with a certificate of the server', async () => {
    await open({ tls });
    expect(await call('hello', credentials.createSsl(bytes('ca')))).toBe('hello');
    expect(await call('hello').catch(codeOf)).toBe(status.UNAVAILABLE);
  });

  it('with certificates of clients too, where an authority is given', async () => {
    await open({ tls: { ...tls, clientCa: pem('ca') } });
    const known = credentials.createSsl(bytes('ca'), bytes('client-key'), bytes('client'));
    expect(await call('hello', known)).toBe('hello');
    expect(await call('hello', credentials.createSsl(bytes('ca'))).catch(codeOf)).toBe(status.UNAVAILABLE);
  });
});
