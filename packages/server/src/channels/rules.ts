import type { HistoryOptions, SubscriptionGrant } from '@gyre/broker';
import type { ChannelRules, PublishRule, SubscribeOverride } from '@gyre/api';
import { clientError } from '@gyre/protocol';
import type { Namespace } from './namespace.ts';
import type { Namespaces } from './namespaces.ts';

/**
 * Channel rules as the server API asks for them.
 * @param namespaces asked for each question, so that a reload takes effect with the next one
 */
export function createRules(namespaces: () => Namespaces): ChannelRules {
  function find(channel: string): Namespace {
    const namespace = namespaces().find(channel);
    if (namespace === undefined) throw clientError('unknownChannel');
    if (!namespace.streams) throw clientError('badRequest');
    return namespace;
  }

  return {
    publish(channel: string): PublishRule {
      return find(channel).publishRule;
    },

    subscribe(channel: string, override: SubscribeOverride): SubscriptionGrant {
      return find(channel).grant(undefined, override);
    },

    presence(channel: string): void {
      if (!find(channel).options.presence) throw clientError('notAvailable');
    },

    history(channel: string): HistoryOptions {
      const { history } = find(channel);
      if (history === undefined) throw clientError('notAvailable');
      return history;
    },
  };
}
