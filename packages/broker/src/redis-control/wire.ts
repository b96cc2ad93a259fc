/** What nodes say to each other over the control bus, as JSON. */
import type { ControlCommand, SurveyName, Surveys } from '../control.ts';

/** In the stream. `number` tells the commands of a sender apart. */
export interface Sent {
  readonly sender: string;
  readonly number: number;
  readonly command: ControlCommand;
}

/** A question of a survey; queries are plain data. */
export interface Question {
  readonly type: 'ask';
  readonly sender: string;
  readonly number: number;
  readonly survey: SurveyName;
  readonly query: Surveys[SurveyName]['query'];
}

/** What is published. */
export type Message =
  /** There are commands to read; their sender knows. */
  | { readonly type: 'wake'; readonly sender: string }
  | Question
  /** `node` has left and will answer nothing any more. */
  | { readonly type: 'left'; readonly node: string }
  /** What became of a command on a node. */
  | { readonly type: 'outcome'; readonly node: string; readonly number: number; readonly applied: boolean }
  /** Absent `answer`: the node has none. */
  | {
      readonly type: 'answer';
      readonly node: string;
      readonly number: number;
      readonly answer?: Surveys[SurveyName]['answer'];
    };

export function encodeMessage(message: Message): string {
  return JSON.stringify(message);
}

/** Only nodes of this cluster write to its prefix, so the form is not checked. @throws SyntaxError for what is no JSON */
export function decodeMessage(bytes: Buffer): Message {
  return JSON.parse(bytes.toString()) as Message;
}

/** Payloads travel as `{"base64": …}`. */
export function encodeSent(sent: Sent): string {
  return JSON.stringify(sent, function pack(this: Readonly<Record<string, unknown>>, key, value: unknown) {
    // Not `value`: a Buffer has made a list of numbers of itself there.
    const bytes = this[key];
    return bytes instanceof Uint8Array ? { base64: Buffer.from(bytes).toString('base64') } : value;
  });
}

/** @throws SyntaxError for what is no JSON */
export function decodeSent(bytes: Buffer): Sent {
  return JSON.parse(bytes.toString(), (_, value: unknown) => {
    const packed = typeof value === 'object' && value !== null && 'base64' in value;
    return packed ? Buffer.from(String(value.base64), 'base64') : value;
  }) as Sent;
}
