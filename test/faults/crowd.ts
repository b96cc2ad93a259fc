import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { decodeFrame, encodeFrame, opcodes } from '../harness/frames.ts';
import type { PublicationMessage, ReplyMessage, SubscribeMessage } from '../harness/wire-messages.ts';

/** Where a member stands in a channel. */
interface Place {
  offset: number;
  epoch: string;
  /** Subscribed on the connection of now. */
  here: boolean;
}

/** What a crowd has seen altogether. Whoever makes a crowd has the publication at offset n carry `{ "n": n }`. */
export interface Tally {
  received: number;
  recovered: number;
  /** Answers with `recovered: false`. */
  told: number;
  /** Subscribes that were to be tried again. */
  refused: number;
  /** What should not be: a hole, a double, a wrong publication, an error that is no such refusal. The first hundred. */
  readonly problems: string[];
}

export function newTally(): Tally {
  return { received: 0, recovered: 0, told: 0, refused: 0, problems: [] };
}

/**
 * A client as small as possible, to have thousands: it keeps its position in each channel, checks that offsets rise by
 * one, and keeps nothing else.
 */
export class Member {
  readonly #tally: Tally;
  readonly #places: ReadonlyMap<string, Place>;
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #ended = false;
  #rest = 0;

  constructor(tally: Tally, channels: readonly string[]) {
    this.#tally = tally;
    this.#places = new Map(channels.map((channel) => [channel, { offset: 0, epoch: '', here: false }]));
  }

  /** It is subscribed to everything, and has everything up to this offset. */
  has(offset: number): boolean {
    return [...this.#places.values()].every((place) => place.here && place.offset >= offset);
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  /** Stops reading, as if it were busy, until `resume`. */
  pause(): void {
    this.#socket?.pause();
  }

  /** Reads a piece and rests for so many milliseconds, again and again until `resume`; on later connections too. */
  trickle(rest: number): void {
    this.#rest = rest;
  }

  resume(): void {
    this.#rest = 0;
    this.#socket?.resume();
  }

  /** Ends it for good. */
  destroy(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  /**
   * Connects, subscribes from where it is, and comes back whenever the connection is gone.
   * @param port asked each time; undefined: nowhere to go for now
   * @param pause milliseconds until it tries again, asked each time
   */
  connect(port: () => number | undefined, pause: () => number): void {
    const target = this.#ended ? undefined : port();
    const again = (): void => {
      if (!this.#ended) this.#retry = setTimeout(() => this.connect(port, pause), pause());
    };
    if (target === undefined) again();
    else this.#open(target, again);
  }

  #open(port: number, onGone: () => void): void {
    const socket = connect(port, '127.0.0.1');
    this.#socket = socket;
    socket.write(handshake(port));
    let received: Buffer = Buffer.alloc(0);
    let open = false;
    socket.on('data', (chunk) => {
      if (this.#rest > 0) this.#restFrom(socket);
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      if (!open) {
        const end = received.indexOf('\r\n\r\n');
        if (end < 0) return;
        open = true;
        received = received.subarray(end + 4);
        this.#hello(socket);
      }
      for (let next = decodeFrame(received); next !== undefined; next = decodeFrame(received)) {
        received = next.rest;
        const { opcode, payload } = next.frame;
        if (opcode === opcodes.text) this.#read(socket, payload.toString());
        if (opcode === opcodes.close) socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = undefined;
      for (const place of this.#places.values()) place.here = false;
      onGone();
    });
  }

  #restFrom(socket: Socket): void {
    socket.pause();
    setTimeout(() => socket.resume(), this.#rest);
  }

  #hello(socket: Socket): void {
    this.#send(socket, [
      { id: 1, connect: {} },
      ...[...this.#places.keys()].map((c, n) => this.#subscribe(c, n + 2)),
    ]);
  }

  #subscribe(channel: string, id: number): object {
    const { epoch, offset } = this.#places.get(channel)!;
    return { id, subscribe: { channel, ...(epoch === '' ? {} : { recover: true, epoch, offset }) } };
  }

  #send(socket: Socket, commands: readonly object[]): void {
    const text = commands.map((command) => JSON.stringify(command)).join('\n');
    socket.write(encodeFrame(opcodes.text, Buffer.from(text)));
  }

  #read(socket: Socket, frame: string): void {
    for (const line of frame.split('\n')) {
      if (line === '{}') this.#send(socket, [{}]);
      const { id = 0, error, subscribe, push } = JSON.parse(line) as ReplyMessage;
      const channel = [...this.#places.keys()][id - 2];
      if (error !== undefined) this.#refused(socket, channel, error);
      if (subscribe !== undefined) this.#subscribed(channel!, subscribe);
      if (push?.pub !== undefined) this.#publication(push.channel!, push.pub);
      if (push?.unsubscribe === undefined) continue;
      this.#places.get(push.channel!)!.here = false;
      this.#again(socket, push.channel!);
    }
  }

  #again(socket: Socket, channel: string): void {
    this.#send(socket, [this.#subscribe(channel, [...this.#places.keys()].indexOf(channel) + 2)]);
  }

  #refused(socket: Socket, channel: string | undefined, error: NonNullable<ReplyMessage['error']>): void {
    if (channel === undefined || error.temporary !== true) {
      this.#problem(`an error: ${JSON.stringify(error)}`);
      return;
    }
    this.#tally.refused++;
    setTimeout(() => this.#socket === socket && this.#again(socket, channel), 200);
  }

  #subscribed(channel: string, answer: SubscribeMessage): void {
    const place = this.#places.get(channel)!;
    const { epoch = '', offset = 0, publications = [] } = answer;
    if (answer.was_recovering === true && answer.recovered !== true) this.#tally.told++;
    if (answer.recovered !== true) place.offset = offset;
    place.epoch = epoch;
    place.here = true;
    for (const publication of publications) this.#publication(channel, publication);
    this.#tally.recovered += publications.length;
  }

  #publication(channel: string, { offset = 0, data }: PublicationMessage): void {
    const place = this.#places.get(channel)!;
    this.#tally.received++;
    const { n } = data as { n: number };
    if (offset !== place.offset + 1) this.#problem(`${channel}: ${offset} after ${place.offset}`);
    if (n !== offset) this.#problem(`${channel}: ${n} at ${offset}`);
    place.offset = offset;
  }

  #problem(text: string): void {
    if (this.#tally.problems.length < 100) this.#tally.problems.push(text);
  }
}

function handshake(port: number): string {
  const key = randomBytes(16).toString('base64');
  return (
    `GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\n` +
    `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
  );
}
