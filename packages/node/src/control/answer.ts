import type { NodeInfo, SurveyName, Surveys } from '@gyre/broker';
import type { Context } from '../context.ts';
import { channelsPage } from '../hub/channels-page.ts';

type Answer<S extends SurveyName> = (query: Surveys[S]['query']) => Promise<Surveys[S]['answer']>;

/** Answers the question that a survey asks of every node. */
export async function answer<S extends SurveyName>(
  context: Context,
  started: number,
  survey: S,
  query: Surveys[S]['query'],
): Promise<Surveys[S]['answer']> {
  const answers: { readonly [N in SurveyName]: Answer<N> } = {
    info: async () => info(context, started),
    channels: (page) => channelsPage(context.hub.channels(), page),
  };
  return answers[survey](query);
}

function info({ hub, options }: Context, started: number): NodeInfo {
  return {
    uid: options.uid,
    name: options.name,
    version: options.version,
    numClients: hub.numClients,
    numUsers: hub.numUsers,
    numChannels: hub.numChannels,
    numSubs: hub.numSubscriptions,
    uptime: Math.floor((performance.now() - started) / 1000),
  };
}
