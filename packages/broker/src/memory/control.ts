import { clientError } from '@gyre/protocol';
import type { ControlBus, ControlCommand, ControlHandler } from '../control.ts';
import { warn } from './warn.ts';

export interface MemoryControlBusOptions {
  /** Told what the handler threw; default a warning of the process. */
  readonly onError?: (error: unknown) => void;
}

/**
 * A control bus for one process: its one node applies each command when those before it are done, and answers surveys
 * alone. A handler must not wait for a command that it sends itself.
 */
export function memoryControlBus(options: MemoryControlBusOptions = {}): ControlBus {
  const onError = options.onError ?? warn;
  let handler: ControlHandler | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const running = (): ControlHandler => {
    if (handler === undefined) throw clientError('internal', 'the control bus is not running');
    return handler;
  };
  /** @returns whether it was done; not so where the bus was closed meanwhile */
  const apply = async (command: ControlCommand): Promise<boolean> => {
    const node = handler;
    if (node === undefined) return false;
    try {
      await node.apply(command);
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  };

  return {
    start: async (it) => {
      handler = it;
    },
    send: async (command) => {
      running();
      const applied = last.then(() => apply(command));
      last = applied;
      if (!(await applied)) throw clientError('internal', 'applied on 0 of 1 nodes');
    },
    survey: async (survey, query) => {
      const node = running();
      try {
        return { answers: [await node.answer(survey, query)], missingNodes: [] };
      } catch (error) {
        onError(error);
        throw clientError('internal', 'answered by 0 of 1 nodes');
      }
    },
    close: async () => {
      handler = undefined;
    },
  };
}
