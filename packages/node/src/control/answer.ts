import type { NodeInfo, SurveyName, Surveys } from '@gyre/broker';
import type { Context } from '../context.ts';

/** Answers the question that a survey asks of every node. */
export function answer<S extends SurveyName>(
  context: Context,
  started: number,
  survey: S,
  query: Surveys[S]['query'],
): Surveys[S]['answer'] {
  const answers: { readonly [N in SurveyName]: (query: Surveys[N]['query']) => Surveys[N]['answer'] } = {
    info: () => info(context, started),
    channels: ({ pattern, after, limit }) => context.hub.channels(pattern, after, limit),
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
