import type { Context } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import { atOnce, inOrder } from '../flow.ts';
import type { BatchCommand, BatchReply, BatchRequest, BatchResult, CommandName } from '../messages.ts';
import { requests } from '../schema.ts';

const names = Object.keys(requests) as CommandName[];

async function run(command: BatchCommand | undefined, context: Context): Promise<BatchReply> {
  if (command === undefined) throw badRequest();
  for (const name of names) {
    const request = command[name];
    if (request !== undefined) return { [name]: await context.run(name, request) };
  }
  throw notFound();
}

/** Runs commands one after the other, or many at once; each has its answer, or its error, in its place. */
export async function batch({ commands, parallel }: BatchRequest, context: Context): Promise<BatchResult> {
  const replies = await (parallel ? atOnce : inOrder)(commands, async (command): Promise<BatchReply> => {
    const { result, error } = await context.settle(() => run(command, context));
    return error === undefined ? result : { error };
  });
  return { replies };
}
