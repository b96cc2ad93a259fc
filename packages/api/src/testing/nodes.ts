import type { ChannelsPage, ControlBus, NodeInfo, SurveyName, Surveys } from '@gyre/broker';
import { compileGlob } from '@gyre/protocol';

export const nodeInfo: NodeInfo = {
  uid: 'f844a2ed-5edf-4815-b83c-271974003db9',
  name: 'host_8000',
  version: '0.1.0',
  numClients: 3,
  numUsers: 2,
  numChannels: 1,
  numSubs: 4,
  uptime: 5,
  metrics: { interval: 60, items: { 'messages.sent': 1.5 } },
};

/** What a node knows of its channels, answering surveys as a node does. */
export class Nodes {
  info: NodeInfo = nodeInfo;
  /** Subscribers by channel. */
  channels: Map<string, number> = new Map();

  async answer<S extends SurveyName>(survey: S, query: Surveys[S]['query']): Promise<Surveys[S]['answer']> {
    const answer = survey === 'info' ? this.info : this.#page(query as Surveys['channels']['query']);
    return answer as Surveys[S]['answer'];
  }

  #page({ pattern, after, limit }: Surveys['channels']['query']): ChannelsPage {
    const matches = pattern === '' ? () => true : compileGlob(pattern);
    const names = [...this.channels.keys()].filter((name) => name > after && matches(name)).sort();
    const page = limit === 0 ? names : names.slice(0, limit);
    return {
      channels: page.map((channel) => ({ channel, numClients: this.channels.get(channel) ?? 0 })),
      more: page.length < names.length,
    };
  }
}

/** A bus that surveys several nodes, of which some do not answer. */
export function clusterBus(nodes: readonly Nodes[], missingNodes: readonly string[] = []): ControlBus {
  return {
    start: async () => {},
    send: async () => {},
    survey: async (survey, query) => ({
      answers: await Promise.all(nodes.map((node) => node.answer(survey, query))),
      missingNodes,
    }),
    close: async () => {},
  };
}
