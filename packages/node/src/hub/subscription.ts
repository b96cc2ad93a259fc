import type { SubscriptionGrant } from '@gyre/broker';
import type { ClientInfo, TagFilter } from '@gyre/protocol';
import type { Session } from '../session/session.ts';
import type { Channel } from './channel.ts';

/** One connection in one channel. */
export class Subscription {
  readonly session: Session;
  readonly channel: Channel;
  /** Made by policy, changed only by a refresh of it. */
  grant: SubscriptionGrant;
  /** Made by the server and not by a command of the client: its end may be the connection's. */
  readonly serverSide: boolean;
  readonly filter: TagFilter | undefined;
  /** Has got a full publication that a patch can be made against. */
  hasBase = false;
  /** Index in its audience, -1 for none: nothing is pushed to it. */
  seat = -1;

  constructor(
    session: Session,
    channel: Channel,
    grant: SubscriptionGrant,
    serverSide: boolean,
    filter: TagFilter | undefined,
  ) {
    this.session = session;
    this.channel = channel;
    this.grant = grant;
    this.serverSide = serverSide;
    this.filter = filter;
  }

  /** As others see this subscriber. */
  info(): ClientInfo {
    const { id, user, connInfo } = this.session;
    const chanInfo = this.grant.chanInfo;
    return {
      user,
      client: id,
      ...(connInfo === undefined ? {} : { connInfo }),
      ...(chanInfo === undefined ? {} : { chanInfo }),
    };
  }
}
