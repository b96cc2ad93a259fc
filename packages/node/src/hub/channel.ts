import type { HistoryOptions } from '@gyre/broker';
import type { Publication, StreamPosition } from '@gyre/protocol';
import type { Position } from '../recovery/position.ts';
import { Audience } from './audience.ts';
import type { Subscription } from './subscription.ts';

/** A publication as the broker told it. */
export interface Arrived {
  readonly publication: Publication;
  readonly at: StreamPosition;
  readonly delta: boolean;
}

/** A channel with subscribers (or subscribers to be) on this node. */
export class Channel {
  readonly name: string;
  readonly audiences: Audience[] = [];
  /** Members of all audiences. */
  size = 0;
  /** Subscribers that are on their way in; they keep the channel alive. */
  pending = 0;
  /** Settled once the broker delivers this channel to this node. */
  readonly ready: Promise<void>;
  /** What arrived while missing publications are being read; undefined while nothing is missing. */
  held: Arrived[] | undefined;
  /** Settles when nothing is held any more. */
  filling: Promise<void> | undefined;
  /** Known as soon as a positioned subscriber asked or a publication with an offset came. */
  position: Position | undefined;

  constructor(name: string, ready: Promise<void>) {
    this.name = name;
    this.ready = ready;
  }

  add(member: Subscription): void {
    const codec = member.session.codec;
    const delta = member.grant.delta !== undefined;
    const audience = this.audiences.find((a) => a.fits(codec, delta));
    if (audience === undefined) this.audiences.push(new Audience(codec, delta, member));
    else audience.add(member);
    this.size++;
  }

  remove(member: Subscription): void {
    const codec = member.session.codec;
    const delta = member.grant.delta !== undefined;
    const at = this.audiences.findIndex((a) => a.fits(codec, delta));
    const audience = this.audiences[at];
    if (audience === undefined) return;
    audience.remove(member);
    if (audience.members.length === 0) this.audiences.splice(at, 1);
    this.size--;
  }

  /** How the channel is kept, as those know who count on its positions; undefined where nobody does. */
  get history(): HistoryOptions | undefined {
    for (const { members } of this.audiences) {
      for (const { grant } of members) if (grant.positioned) return grant.history;
    }
    return undefined;
  }

  /** A copy, for loops in which members may leave. */
  members(): Subscription[] {
    return this.audiences.flatMap((audience) => audience.members);
  }
}
