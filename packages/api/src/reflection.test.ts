import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import protobufjs from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { methods } from './executor.ts';
import { KEY, TestApi } from './testing/api.ts';
import { service } from './testing/grpc.ts';

let api: TestApi;
afterEach(() => api.close());

/** As published by the gRPC project, as far as we use it. */
const { root } = protobufjs.parse(
  `syntax = "proto3";
  message Request {
    string host = 1;
    oneof question {
      string file_by_filename = 3;
      string file_containing_symbol = 4;
      string all_extension_numbers_of_type = 6;
      string list_services = 7;
    }
  }
  message Response {
    string valid_host = 1;
    Request original_request = 2;
    Files file_descriptor_response = 4;
    Services list_services_response = 6;
    Error error_response = 7;
  }
  message Files { repeated bytes file_descriptor_proto = 1; }
  message Services { repeated Service service = 1; }
  message Service { string name = 1; }
  message Error { int32 error_code = 1; string error_message = 2; }`,
);
const Request = root.lookupType('Request');
const Response = root.lookupType('Response');

interface Answer {
  readonly originalRequest: object;
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
  readonly listServicesResponse?: object;
  readonly errorResponse?: object;
}

/** Asks everything on one stream, and gives the answers once the server has ended it. */
async function ask(version: string, questions: readonly (object | Buffer)[]): Promise<Answer[]> {
  const { port } = await api.grpc({ reflection: true });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  metadata.set('authorization', `apikey ${KEY}`);
  const stream = client.makeBidiStreamRequest(
    `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
    (question: object | Buffer) =>
      Buffer.isBuffer(question)
        ? question
        : Buffer.from(Request.encode(Request.fromObject(question)).finish()),
    (bytes) => Response.toObject(Response.decode(bytes)) as Answer,
    metadata,
  );
  for (const question of questions) stream.write(question);
  stream.end();
  const answers: Answer[] = [];
  for await (const answer of stream) answers.push(answer as Answer);
  return answers;
}

describe.each(['v1', 'v1alpha'])('reflection %s', (version) => {
  it('lists the service, whatever is asked with it', async () => {
    api = await TestApi.start();
    const answers = await ask(version, [{ listServices: '' }, { host: 'h', listServices: '*' }]);
    const listServicesResponse = { service: [{ name: 'centrifugal.centrifugo.api.CentrifugoApi' }] };
    expect(answers).toEqual([
      { originalRequest: { listServices: '' }, listServicesResponse },
      { originalRequest: { host: 'h', listServices: '*' }, listServicesResponse },
    ]);
  });

  it('describes the methods and messages', async () => {
    api = await TestApi.start();
    const symbol = 'centrifugal.centrifugo.api.CentrifugoApi';
    const answers = await ask(version, [{ fileContainingSymbol: symbol }, { fileByFilename: 'api.proto' }]);
    for (const { fileDescriptorResponse } of answers) {
      const [file] = fileDescriptorResponse?.fileDescriptorProto ?? [];
      const decoded = descriptor.FileDescriptorProto.decode(file!);
      const described = protobufjs.Root.fromDescriptor({ file: [decoded] } as never).resolveAll();
      const there = described.lookupService(symbol);
      expect(Object.keys(there.methods)).toEqual(Object.keys(service.methods));
      for (const { request } of Object.values(methods)) {
        const type = described.lookupType(`centrifugal.centrifugo.api.${request.name}`);
        for (const { number } of request.fields) expect(type.fieldsById[number]).toBeDefined();
      }
    }
  });

  it('does not know anything else', async () => {
    api = await TestApi.start();
    const answers = await ask(version, [
      { fileContainingSymbol: 'elsewhere.Service' },
      { fileByFilename: 'other.proto' },
      { allExtensionNumbersOfType: 'x' },
    ]);
    expect(answers.map(({ errorResponse }) => errorResponse)).toEqual(
      Array(3).fill({ errorCode: status.NOT_FOUND, errorMessage: 'not found' }),
    );
  });

  it('refuses what is no question', async () => {
    api = await TestApi.start();
    const refused = ask(version, [Buffer.from([0x3a, 9])]);
    expect(await refused.catch((error: ServiceError) => error.code)).toBe(status.INVALID_ARGUMENT);
  });
});

it('is off unless switched on', async () => {
  api = await TestApi.start();
  await api.grpc();
  const refused = ask('v1', [{ listServices: '' }]);
  expect(await refused.catch((error: ServiceError) => error.code)).toBe(status.UNIMPLEMENTED);
});
