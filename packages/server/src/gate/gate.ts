import type { Gate } from '@gyre/node';
import { connecting } from './connect.ts';
import { history } from './history.ts';
import type { Policy } from './policy.ts';
import { presence } from './presence.ts';
import { publish } from './publish.ts';
import { refresh, subRefresh } from './refresh.ts';
import { rpc } from './rpc.ts';
import { subscribe } from './subscribe.ts';

/**
 * Policy as a node asks for it.
 * @param policy asked for each question, so that a reload takes effect with the next one
 */
export function createGate(policy: () => Policy): Gate {
  return {
    connecting: (client, question) => connecting(policy(), client, question),
    refresh: (client, token) => refresh(policy(), client, token),
    subscribe: (client, request) => subscribe(policy(), client, request),
    subRefresh: (client, channel, token) => subRefresh(policy(), client, channel, token),
    publish: async (client, channel, data) => publish(policy(), client, channel, data),
    presence: async (client, channel) => presence(policy(), client, channel),
    history: async (client, channel) => history(policy(), client, channel),
    rpc: async (_client, method) => rpc(policy(), method),
  };
}
