import type { HistoryOptions, HistoryPage } from '@gyre/broker';
import type { Publication, StreamPosition } from '@gyre/protocol';
import { Position } from '../recovery/position.ts';
import type { TailBudget } from '../recovery/tail.ts';
import { Audience } from './audience.ts';
import type { Subscription } from './subscription.ts';

/** A publication as the broker told it. */
export interface Arrived {
  readonly publication: Publication;
  readonly at: StreamPosition;
  readonly delta: boolean;
}

/** A channel with subscribers on this node, or subscribers to be, or some that may come back. */
export class Channel {
  readonly name: string;
  readonly #tails: TailBudget;
  /** Reads of the stream that are under way. */
  readonly #reads = new Map<string, Promise<HistoryPage>>();
  #position: Position | undefined;
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
  /** How the channel is kept, as the last one said who counts on its positions; undefined where nobody ever did. */
  history: HistoryOptions | undefined;

  constructor(name: string, ready: Promise<void>, tails: TailBudget) {
    this.name = name;
    this.ready = ready;
    this.#tails = tails;
  }

  /** Known as soon as a positioned subscriber asked or a publication with an offset came. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Stands where it is told to, whatever was before. */
  stand(at: StreamPosition): Position {
    this.lose();
    return (this.#position = new Position(at, this.#tails));
  }

  /** Does not know any more where it stands. */
  lose(): void {
    this.#position?.drop();
    this.#position = undefined;
  }

  /**
   * Reads of the stream that are alike are one.
   * @param what tells reads apart
   */
  read(what: string, read: () => Promise<HistoryPage>): Promise<HistoryPage> {
    const underWay = this.#reads.get(what);
    if (underWay !== undefined) return underWay;
    const reading = read().finally(() => this.#reads.delete(what));
    this.#reads.set(what, reading);
    return reading;
  }

  add(member: Subscription): void {
    const codec = member.session.codec;
    const { delta, positioned, history } = member.grant;
    if (positioned) this.history = history;
    const audience = this.audiences.find((a) => a.fits(codec, delta !== undefined));
    if (audience === undefined) this.audiences.push(new Audience(codec, delta !== undefined, member));
    else audience.add(member);
    this.size++;
  }

  remove(member: Subscription): void {
    this.park(member);
    this.size--;
  }

  /** Nothing goes to the member any more, though it has not left. */
  park(member: Subscription): void {
    const codec = member.session.codec;
    const delta = member.grant.delta !== undefined;
    const at = this.audiences.findIndex((a) => a.fits(codec, delta));
    const audience = this.audiences[at];
    if (audience === undefined || member.seat === -1) return;
    audience.remove(member);
    if (audience.members.length === 0) this.audiences.splice(at, 1);
  }

  /** A copy, for loops in which members may leave. Without those that are parked. */
  members(): Subscription[] {
    return this.audiences.flatMap((audience) => audience.members);
  }
}
