import type { CommandName } from '../messages.ts';
import { disconnect, refresh, subscribe, unsubscribe } from './rows/connections.ts';
import { history, historyRemove } from './rows/history.ts';
import { presence, presenceStats } from './rows/presence.ts';
import { broadcast, publish } from './rows/publications.ts';
import type { Row, Rows } from './rows/row.ts';
import { channels, info, rpc } from './rows/server.ts';

/** Texts by code, 102 aside: that depends on the carrier. */
export const errorMessages: Readonly<Record<number, string>> = {
  100: 'internal server error',
  104: 'not found',
  107: 'bad request',
  108: 'not available',
  112: 'unrecoverable position',
};

const byMethod: Readonly<Record<CommandName, Rows>> = {
  publish,
  broadcast,
  subscribe,
  unsubscribe,
  disconnect,
  refresh,
  presence,
  presence_stats: presenceStats,
  history,
  history_remove: historyRemove,
  channels,
  info,
  rpc,
};

/** Every method, parameter, result field and error. */
export const rows: readonly Row[] = Object.entries(byMethod).flatMap(([method, list]) =>
  list.map((row) => ({ ...row, method: method as CommandName })),
);
