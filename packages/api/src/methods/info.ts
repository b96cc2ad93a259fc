import type { Empty } from '@gyre/protocol';
import type { Services } from '../context.ts';
import type { InfoResult } from '../messages.ts';

/** What every live node says of itself. */
export async function info(_request: Empty, { control }: Services): Promise<InfoResult> {
  const { answers, missingNodes } = await control.survey('info', {});
  return { nodes: answers, missingNodes };
}
