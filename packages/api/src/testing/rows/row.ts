import { expect } from 'vitest';
import type { CommandName } from '../../messages.ts';
import type { TestApi } from '../api.ts';

/** One call and how it ends, on every carrier. */
export interface Row {
  readonly method: CommandName;
  readonly what: string;
  /** The request as JSON text, placed into the carrier's envelope as it is. */
  readonly params: string;
  /** What happened before. */
  readonly given?: (api: TestApi) => Promise<unknown>;
  /** What the result is; or else an error's code, or that the parameters are not of the schema. */
  readonly result?: unknown;
  readonly error?: number;
  /** The error's text, where it is not the code's. */
  readonly message?: string;
  readonly malformed?: true;
  /** Protobuf cannot say this; nor what is malformed, which its encoders refuse. */
  readonly onlyJson?: true;
  /** What it has done. */
  readonly after?: (api: TestApi) => Promise<void> | void;
}

/** Calls of one method. */
export type Rows = readonly Omit<Row, 'method'>[];

/** What every new stream has. */
export const epoch = expect.stringMatching(/^[A-Za-z]{8}$/) as unknown;
/** The position of a first publication. */
export const kept = { offset: 1, epoch };

/** Publishes JSON texts. */
export const publishedBefore =
  (channel: string, ...texts: string[]) =>
  async (api: TestApi) => {
    for (const text of texts) await api.post('/publish', `{"channel":"${channel}","data":${text}}`);
  };

/** Makes the node listen to channels. */
export const subscribed =
  (...channels: string[]) =>
  async (api: TestApi): Promise<void> => {
    for (const channel of channels) await api.broker.subscribe(channel);
  };

/** What subscribers got: the texts of the data, and whatever else there is. */
export function delivered(api: TestApi) {
  return api.delivered.map(({ channel, publication: { data, tags, offset }, delta }) => ({
    channel,
    data: Buffer.from(data).toString(),
    ...(tags && { tags: { ...tags } }),
    ...(offset !== undefined && { offset }),
    ...(delta && { delta }),
  }));
}

export const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

/** The texts of the publications that a channel keeps. */
export async function keptIn(api: TestApi, channel: string): Promise<string[]> {
  const page = await api.broker.history(channel, { limit: -1 }, { metaTtlMs: 60_000 });
  return page.publications.map(({ data }) => Buffer.from(data).toString());
}
