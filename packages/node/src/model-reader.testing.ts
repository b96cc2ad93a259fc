import type { StreamPosition } from '@gyre/protocol';
import { applyDelta } from '@gyre/protocol/testing';
import type { ModelBroker, ModelStream } from './model-broker.testing.ts';
import type { Peer } from './testing.ts';

/**
 * What a reader has asked for: everything, everything by a subscription of the server's, the newest one, those with an
 * odd id, everything as patches.
 */
export const kinds = ['plain', 'server', 'cache', 'filter', 'delta'] as const;
export type Kind = (typeof kinds)[number];

/** What a subscribe command says of it; the rest is a matter of grants. */
const wishes: Partial<Record<Kind, object>> = {
  filter: { tf: { key: 'odd', cmp: 'eq', val: '1' } },
  delta: { delta: 'fossil' },
};

interface PublicationMessage {
  readonly offset: number;
  /** Said with the first one of a stream. */
  readonly epoch?: string;
  /** Text where patches were agreed upon, and such a patch where `delta` says so. */
  readonly data: unknown;
  readonly delta?: boolean;
}

interface SubscribeMessage {
  /** Left out when it is 0. */
  readonly offset?: number;
  readonly epoch?: string;
  readonly recovered?: boolean;
  readonly publications?: readonly PublicationMessage[];
}

interface Message {
  readonly id?: number;
  readonly error?: object;
  readonly connect?: { readonly subs?: Readonly<Record<string, SubscribeMessage>> };
  readonly subscribe?: SubscribeMessage;
  readonly push?: {
    readonly channel: string;
    readonly pub?: PublicationMessage;
    readonly unsubscribe?: object;
  };
}

/** A reader's side of one channel: does what an SDK does, and notes what it was not to get. */
class Place {
  readonly channel: string;
  readonly #kind: Kind;
  readonly #mayBeTold: boolean;
  subscribed = false;
  /** Id of the subscribe command that has no answer yet. */
  asked: number | undefined;
  #position: { offset: number; epoch: string } | undefined;
  /** It has a right to all that comes after this offset. */
  #start = 0;
  /** Ids by offset. */
  readonly #got = new Map<number, number>();
  /** What came out of sequence, which has to be followed by word that something is missing. */
  #stray: string | undefined;
  #last: Uint8Array | undefined;

  constructor(channel: string, kind: Kind, mayBeTold: boolean) {
    this.channel = channel;
    this.#kind = kind;
    this.#mayBeTold = mayBeTold;
  }

  get position(): StreamPosition | undefined {
    return this.#position;
  }

  get request(): object {
    return this.#position === undefined ? {} : { recover: true, ...this.#position };
  }

  left(): void {
    this.subscribed = false;
    this.asked = undefined;
  }

  began({ epoch, offset = 0, recovered, publications = [] }: SubscribeMessage): void {
    this.subscribed = true;
    this.asked = undefined;
    if (epoch === undefined || epoch === '') throw this.#wrong('has a position without an epoch');
    const was = this.#position;
    if (was === undefined || recovered !== true) {
      if (was !== undefined && !this.#mayBeTold) throw this.#wrong('was told, and nothing was lost');
      if (publications.length > 0) throw this.#wrong('got publications that lead to nowhere');
      this.#beginAt({ epoch, offset });
      return;
    }
    if (offset !== was.offset) throw this.#wrong(`asked from ${was.offset}, was answered from ${offset}`);
    this.#position = { epoch, offset };
    if (this.#kind === 'cache') this.#newest(publications, was);
    else {
      if (this.#stray !== undefined) throw this.#wrong(`${this.#stray}, and recovered`);
      for (const publication of publications) this.take(publication);
    }
  }

  #newest(publications: readonly PublicationMessage[], was: StreamPosition): void {
    this.#stray = undefined;
    for (const publication of publications) {
      const { offset } = publication;
      if (this.#position?.epoch === was.epoch && offset <= was.offset)
        throw this.#wrong(`got ${offset} as the newest, and has ${was.offset}`);
      this.#beginAt({ epoch: this.#position?.epoch ?? '', offset: offset - 1 });
      this.take(publication);
    }
  }

  #beginAt(position: StreamPosition): void {
    this.#position = { ...position };
    this.#start = position.offset;
    this.#got.clear();
    this.#stray = undefined;
    this.#last = undefined;
  }

  take(publication: PublicationMessage): void {
    const { offset, epoch } = publication;
    const position = this.#position;
    if (position === undefined) throw this.#wrong('got a publication before an answer');
    const follows = this.#kind === 'filter' ? offset > position.offset : offset === position.offset + 1;
    if (!follows) this.#stray ??= `got ${offset} after ${position.offset}`;
    position.offset = offset;
    if (epoch !== undefined) position.epoch = epoch;
    this.#got.set(offset, this.#id(publication));
  }

  #id({ data, delta }: PublicationMessage): number {
    if (this.#kind !== 'delta') return (data as { id: number }).id;
    const bytes = Buffer.from(data as string);
    if (delta === true && this.#last === undefined) throw this.#wrong('got a patch of what it never got');
    this.#last = delta === true && this.#last !== undefined ? applyDelta(this.#last, bytes) : bytes;
    return (JSON.parse(Buffer.from(this.#last).toString()) as { id: number }).id;
  }

  /** Gets what it missed from another node, which has everything. */
  readElsewhere(stream: ModelStream): void {
    const position = this.#position;
    if (position === undefined || this.#stray !== undefined || !stream.continues(position)) return;
    if (stream.removed > position.offset) return;
    for (let offset = position.offset + 1; offset <= stream.ids.length; offset++) {
      const id = stream.idAt(offset);
      if (!this.#wants(id)) continue;
      this.#got.set(offset, id);
      this.#last = stream.publicationAt(offset).data;
    }
    this.#position = { ...stream.top };
  }

  #wants(id: number): boolean {
    return this.#kind !== 'filter' || id % 2 === 1;
  }

  /** @returns what is not as it is to be when everything has come to rest */
  complaint(stream: ModelStream): string | undefined {
    const { ids } = stream;
    const complain = (text: string) => this.#wrong(text).message;
    if (!this.subscribed || this.#position === undefined) return complain('is not subscribed');
    if (this.#stray !== undefined) return complain(`${this.#stray}, and was not told`);
    for (const [offset, id] of this.#got) {
      if (ids[offset - 1] !== id) return complain(`has ${id} at ${offset}, where ${ids[offset - 1]} is`);
    }
    for (let offset = this.#start + 1; offset <= ids.length; offset++) {
      if (this.#kind === 'cache' && offset <= this.#position.offset) continue;
      if (this.#wants(stream.idAt(offset)) && !this.#got.has(offset)) return complain(`lacks ${offset}`);
    }
    if (this.#position.offset > ids.length)
      return complain(`is at ${this.#position.offset} of ${ids.length}`);
    return undefined;
  }

  #wrong(what: string): Error {
    return new Error(`${this.#kind} of ${this.channel} ${what}`);
  }
}

/** A client that stays on its connection until it is closed, or told to come again. */
export class Reader {
  readonly kind: Kind;
  readonly #open: () => Peer;
  readonly #places: readonly Place[];
  readonly #seen: string[] = [];
  #peer: Peer | undefined;
  #refused = false;
  #nextId = 2;

  /** @param mayBeTold something happens to the streams after which it may be told that it missed something */
  constructor(kind: Kind, channels: readonly string[], mayBeTold: boolean, open: () => Peer) {
    this.kind = kind;
    this.#open = open;
    this.#places = channels.map((channel) => new Place(channel, kind, mayBeTold));
  }

  /** All that came, for who has to find out why. */
  get story(): string {
    return `${this.kind}\n  ${this.#seen.join('\n  ')}`;
  }

  /** Comes anew, from where it stands. */
  connect(): void {
    this.leave();
    this.#refused = false;
    this.#peer = this.#open();
    this.#seen.push('connects');
    for (const place of this.#places) place.left();
    const held = this.#places.filter(({ position }) => position !== undefined);
    const subs = Object.fromEntries(held.map(({ channel, request }) => [channel, request]));
    this.#send({ id: 1, connect: { name: this.kind, ...(this.kind === 'server' ? { subs } : {}) } });
  }

  leave(): void {
    this.read();
    this.end();
  }

  /** Goes, whatever came. */
  end(): void {
    this.#peer?.session.closed();
  }

  /** Comes again where it has to, and subscribes to what it is not subscribed to. */
  keepUp(): void {
    this.read();
    if (this.#refused || this.#peer?.transport.ended !== undefined) this.connect();
    this.read();
    for (const { channel } of this.#places) this.subscribe(channel);
  }

  subscribe(channel: string): void {
    this.read();
    const place = this.#place(channel);
    if (this.kind === 'server' || place.subscribed || place.asked !== undefined) return;
    place.asked = this.#nextId++;
    this.#send({ id: place.asked, subscribe: { channel, ...place.request, ...wishes[this.kind] } });
  }

  unsubscribe(channel: string): void {
    this.read();
    if (this.kind === 'server') return;
    this.#place(channel).left();
    this.#send({ id: this.#nextId++, unsubscribe: { channel } });
  }

  /** Goes to another node, gets everything there, and comes back: it may know more than the node then. */
  goElsewhere(broker: ModelBroker): void {
    this.leave();
    for (const place of this.#places) place.readElsewhere(broker.stream(place.channel));
    this.#seen.push(`was elsewhere: ${JSON.stringify(this.#places.map(({ position }) => position))}`);
    this.connect();
  }

  /** @throws Error where it got what it never should have */
  read(): void {
    for (const message of (this.#peer?.messages() ?? []) as Message[]) {
      this.#seen.push(JSON.stringify(message));
      const { id, error, connect, subscribe, push } = message;
      if (id === 1) this.#refused = error !== undefined;
      for (const [channel, result] of Object.entries(connect?.subs ?? {})) this.#place(channel).began(result);
      const asker = this.#places.find(({ asked }) => asked !== undefined && asked === id);
      if (subscribe !== undefined) asker?.began(subscribe);
      else if (asker !== undefined) asker.asked = undefined;
      if (push === undefined) continue;
      const place = this.#place(push.channel);
      if (push.unsubscribe !== undefined) place.left();
      if (push.pub !== undefined && place.subscribed) place.take(push.pub);
    }
  }

  complaints(broker: ModelBroker): string[] {
    this.read();
    return this.#places.flatMap((place) => place.complaint(broker.stream(place.channel)) ?? []);
  }

  #place(channel: string): Place {
    const place = this.#places.find((one) => one.channel === channel);
    if (place === undefined) throw new Error(`${this.kind} hears of ${channel}`);
    return place;
  }

  #send(command: object): void {
    this.#peer?.send(command);
  }
}
