// road in 3/5: one command at a time, by state; the only catch
import {
  ClientError,
  Disconnect,
  EncodeError,
  clientError,
  disconnect,
  type Command,
  type Method,
  type Requests,
} from '@gyre/protocol';
import { count } from '../options.ts';
import { connect } from './commands/connect.ts';
import { history } from './commands/history.ts';
import { presence, presenceStats } from './commands/presence.ts';
import { publish } from './commands/publish.ts';
import { refresh } from './commands/refresh.ts';
import { rpc } from './commands/rpc.ts';
import { send } from './commands/send.ts';
import { subRefresh } from './commands/sub-refresh.ts';
import { subscribe } from './commands/subscribe.ts';
import { unsubscribe } from './commands/unsubscribe.ts';
import type { Session } from './session.ts';

/** Carries out a command and answers it. What it throws is the answer, or the end of the connection. */
export type Handler<M extends Method> = (session: Session, id: number, request: Requests[M]) => Promise<void>;

const handlers: { readonly [M in Method]: Handler<M> } = {
  connect,
  subscribe,
  unsubscribe,
  publish,
  presence,
  presence_stats: presenceStats,
  history,
  rpc,
  send,
  refresh,
  sub_refresh: subRefresh,
};

/** Carries out one command. Never rejects. */
export async function dispatch(session: Session, command: Command): Promise<void> {
  try {
    if (command.method === 'pong') {
      if (!session.timing.pong()) throw disconnect('badRequest');
      return;
    }
    count(session.context.stats.commands, command.method);
    admit(session, command.method);
    const { options, deadlines } = session.context;
    if (options.commandRates !== undefined) {
      session.limits.admit(command.method, options.commandRates, deadlines.now());
    }
    // The table maps each method to the handler of its own request, which the compiler cannot follow through an index.
    await (handlers[command.method] as Handler<Method>)(session, command.id, command.request);
  } catch (error) {
    answerError(session, command, error);
  }
}

/** A connection connects once, first. */
function admit(session: Session, method: Method): void {
  const expected = method === 'connect' ? 'new' : 'connected';
  if (session.state !== expected) throw disconnect('badRequest');
}

function answerError(session: Session, { id, method }: Command, error: unknown): void {
  if (error instanceof Disconnect || error instanceof EncodeError) {
    session.failed(error);
    return;
  }
  const answer = error instanceof ClientError ? error : clientError('internal');
  if (answer !== error) {
    session.context.log.error?.('command failed', { client: session.id, user: session.user, method, error });
  }
  count(session.context.stats.replyErrors, `${method}:${answer.code}`);
  session.refuse(id, answer);
  if (method !== 'connect' || session.state === 'closed') return;
  session.state = 'refused';
  session.context.hub.disconnected(session);
  session.timing.refused();
}
