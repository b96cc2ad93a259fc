import protobufjs from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { methods } from './executor.ts';
import type { Message, NamedField } from './field.ts';
import type { MethodName } from './messages.ts';
import { batchRequest, batchResult, error } from './schema.ts';
import { messageType, service } from './testing/grpc.ts';

/** Every message that can be reached, by its name. */
const messages = new Map<string, Message<object>>();

function reach(message: Message<object>): void {
  messages.set(message.name, message);
  for (const { of } of message.fields) if (of !== undefined) reach(of);
}

reach(error);
reach(batchRequest);
reach(batchResult);

/** Fields that `proto/api.proto` has and that are of no effect, or are not served. */
const left = [
  'SubscribeRequest label_filter',
  'SubscribeRequest all_users',
  'UnsubscribeRequest label_filter',
  'UnsubscribeRequest all_users',
  'DisconnectRequest label_filter',
  'DisconnectRequest all_users',
  'RefreshRequest label_filter',
  'RefreshRequest all_users',
  'PresenceResult missing_nodes',
  'NodeResult process',
  ...['Command', 'Reply'].flatMap((envelope) =>
    [
      'map_publish',
      'map_remove',
      'map_read_state',
      'map_read_stream',
      'map_stats',
      'map_clear',
      'shared_poll_publish',
    ].map((field) => `${envelope} ${field}`),
  ),
];

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const ours = ({ wire, number, kind, shape, of }: NamedField): string =>
  `${wire} = ${number} ${shape} ${of?.name ?? kind}`;

function theirs(field: protobufjs.Field): string {
  const shape = field instanceof protobufjs.MapField ? 'map' : field.repeated ? 'list' : 'one';
  return `${snakeCase(field.name)} = ${field.id} ${shape} ${field.type}`;
}

describe('the schema is that of proto/api.proto', () => {
  it.each([...messages])('%s', (name, message) => {
    const there = messageType(name).fieldsArray.filter(
      (field) => !left.includes(`${name} ${snakeCase(field.name)}`),
    );
    expect(message.fields.map(ours).sort()).toEqual(there.map(theirs).sort());
  });

  it('methods, their requests and results', () => {
    const camelCase = (name: string): string =>
      name === 'rpc' ? 'RPC' : name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
    for (const [name, { request, result }] of Object.entries(methods)) {
      const method = service.methods[camelCase(name as MethodName)];
      expect(method?.requestType, name).toBe(request.name);
      if (name === 'batch') {
        expect(method?.responseType).toBe(result.name);
        continue;
      }
      const response = messageType(method?.responseType ?? '').fieldsArray.map(theirs);
      expect(response, name).toEqual(['error = 1 one Error', `result = 2 one ${result.name}`]);
    }
  });

  it('every method is there, but for maps and shared polls', () => {
    const there = service.methodsArray.map(({ name }) => name);
    const unserved = there.filter((name) => /^(Map|SharedPoll)/.test(name));
    expect(unserved).toHaveLength(7);
    expect(Object.keys(methods)).toHaveLength(there.length - unserved.length);
  });

  it('what is left out is there', () => {
    for (const path of left) {
      const [name = '', field] = path.split(' ');
      expect(messageType(name).fieldsArray.map((there) => snakeCase(there.name))).toContain(field);
    }
  });
});
