import {
  asBuffer,
  isNull,
  readFields,
  readInteger,
  readString,
  skipSpace,
  skipValue,
  type Bytes,
} from '@gyre/protocol';
import { badRequest, notFound, refusal } from './errors.ts';
import { isMethod, methods, type Executor } from './executor.ts';
import { inOrder } from './flow.ts';
import { readJson } from './json-read.ts';
import type { ApiError, MethodName } from './messages.ts';
import { writeError, writeOutcome } from './outcome.ts';

/**
 * The `{method, params}` style: a body of any number of commands, white space between, each answered on a line of its
 * own. Commands run one after the other, and none runs before the whole body was understood.
 */

/** Methods by number; 13 was never given away. Those that are not served are known, and answered 104. */
const names = [
  'publish broadcast unsubscribe disconnect presence presence_stats history history_remove channels info rpc',
  'subscribe refresh - connections update_user_status get_user_status delete_user_status block_user unblock_user',
  'revoke_token invalidate_user_tokens device_register device_update device_remove device_list device_topic_list',
  'device_topic_update user_topic_list user_topic_update send_push_notification update_push_status cancel_push',
  'map_publish map_remove map_read_state map_read_stream map_stats map_clear shared_poll_publish',
].flatMap((line) => line.split(' '));

const QUOTE = 0x22;
const WORDING = 'namespace not found';
const CALLER = { protocol: 'http', wording: WORDING } as const;
const UINT32_MAX = 0xffff_ffff;

/** A command that was understood: a call, or the error that answers it. */
export type LegacyCommand = { readonly id: number } & (
  | { readonly name: MethodName; readonly request: object; readonly error?: undefined }
  | { readonly error: ApiError }
);

interface Envelope {
  id: number;
  method: string;
  params: Bytes | undefined;
}

/** @throws SyntaxError for a name that is none of any method */
function methodName(text: Buffer, start: number, end: number): string {
  if (text[start] !== QUOTE) return names[readInteger(text, start, end)] ?? '-';
  const name = readString(text, start, end).toLowerCase();
  if (name === '-' || !names.includes(name)) throw new SyntaxError('unknown method');
  return name;
}

function idOf(text: Buffer, start: number, end: number): number {
  const id = readInteger(text, start, end);
  if (id < 0 || id > UINT32_MAX) throw new SyntaxError('id out of range');
  return id;
}

/** Reads one command; gives the position after it. */
function readEnvelope(text: Buffer, at: number, envelope: Envelope): number {
  if (isNull(text, at)) return skipValue(text, at);
  return readFields(text, at, (key, start) => {
    const end = skipValue(text, start, 1);
    const field = key.toLowerCase();
    if (field === 'params') envelope.params = text.subarray(start, end);
    else if (isNull(text, start)) return end;
    else if (field === 'id') envelope.id = idOf(text, start, end);
    else if (field === 'method') envelope.method = methodName(text, start, end);
    return end;
  });
}

function understand({ id, method, params }: Envelope): LegacyCommand {
  if (!isMethod(method)) return { id, error: refusal(notFound(), WORDING) };
  // `info` has no parameters, so whatever stands there is not looked at.
  const request = method === 'info' ? {} : params && readJson(methods[method].request, params);
  return request === undefined
    ? { id, error: refusal(badRequest(), WORDING) }
    : { id, name: method, request };
}

/**
 * Reads a whole body. What a command's parameters hold is copied out of it.
 * @param body well-formed UTF-8
 * @returns undefined where any part of it is not a command, or names no method
 */
export function readCommands(body: Bytes): LegacyCommand[] | undefined {
  const text = asBuffer(body);
  const commands: LegacyCommand[] = [];
  try {
    let at = skipSpace(text, 0);
    do {
      const envelope: Envelope = { id: 0, method: 'publish', params: undefined };
      at = skipSpace(text, readEnvelope(text, at, envelope));
      commands.push(understand(envelope));
    } while (at < text.length);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return commands;
}

async function answer(command: LegacyCommand, executor: Executor): Promise<string> {
  const head = command.id === 0 ? '{' : `{"id":${command.id},`;
  if (command.error !== undefined) return `${head}"error":${writeError(command.error)}}`;
  const outcome = await executor.call(command.name, command.request as never, CALLER);
  return writeOutcome(command.name, outcome, head);
}

/** Runs the commands in order and gives the answers, one a line. */
export async function answerCommands(
  commands: readonly LegacyCommand[],
  executor: Executor,
): Promise<string> {
  return (await inOrder(commands, (command) => answer(command, executor))).join('\n');
}
