import type { Codec } from '@gyre/protocol';
import type { Subscription } from './subscription.ts';

/**
 * The subscribers of a channel that get identical bytes: same wire, same word on deltas. Most channels have one or
 * two audiences.
 */
export class Audience {
  readonly codec: Codec;
  readonly delta: boolean;
  /** In no order. */
  readonly members: Subscription[];

  constructor(codec: Codec, delta: boolean, first: Subscription) {
    this.codec = codec;
    this.delta = delta;
    this.members = [first];
    first.seat = 0;
  }

  fits(codec: Codec, delta: boolean): boolean {
    return this.codec === codec && this.delta === delta;
  }

  add(member: Subscription): void {
    member.seat = this.members.length;
    this.members.push(member);
  }

  remove(member: Subscription): void {
    const last = this.members.pop();
    if (last !== undefined && last !== member) {
      this.members[member.seat] = last;
      last.seat = member.seat;
    }
    member.seat = -1;
  }
}
