import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands between a program and a server, and does to their connections what networks do. */
export interface Proxy {
  /** Through the proxy. */
  readonly url: string;
  readonly port: number;
  /** From now on what the server says on connections of that kind gets lost; they stay open. New ones are spared. */
  mute(which: 'commands' | 'subscriptions' | 'all'): void;
  /**
   * From now on the commands that were sent are carried out, and some answers never come: each piece that the server says
   * on a connection for commands is cut short with this chance, somewhere before its end, and the connection breaks there.
   * @param rate from 0, which ends it, to 1
   * @param random gives numbers from 0 to below 1
   * @param which asked of each piece whether it is at risk; default all
   */
  swallow(rate: number, random: () => number, which?: (piece: Buffer) => boolean): void;
  /**
   * From now on everything takes longer, in both directions, and stays in order.
   * @param ms 0 ends it; a function is asked for each piece
   */
  delay(ms: number | (() => number)): void;
  /** From now on nothing passes in either direction, the end of a connection neither; until `release`, when all of it does. */
  hold(): void;
  release(): void;
  /** Breaks all connections. New ones are made as before. */
  cut(): void;
  /** From now on no connection is made, and those that are there break; until `open`. */
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** One direction of a connection: what was read from one socket and is not written to the other yet. */
class Way {
  readonly #to: Socket;
  readonly #held: () => boolean;
  /** No data: the end of the connection. */
  readonly #queue: { readonly due: number; readonly data: Buffer | undefined }[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(to: Socket, held: () => boolean) {
    this.#to = to;
    this.#held = held;
  }

  /** @param data none for the end of the connection */
  push(data: Buffer | undefined, ms: number): void {
    this.#queue.push({ due: performance.now() + ms, data });
    this.pump();
  }

  /** Passes on what is due. */
  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#held()) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const ms = first.due - performance.now();
      if (ms > 0) {
        this.#timer = setTimeout(() => this.pump(), ms);
        return;
      }
      this.#queue.shift();
      if (first.data === undefined) this.#to.destroySoon();
      else if (this.#to.writable) this.#to.write(first.data);
    }
  }

  /** Forgets what it has. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly out: Way;
  readonly back: Way;
  subscriber: boolean;
  mute: boolean;
}

/** A command that makes a connection one for subscriptions, as clients write it. */
const subscribes = /\$\d+\r\n[ps]?subscribe\r\n/i;

/** @param to port of the server on the loopback interface */
export async function startProxy(to: number): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let shut = false;
  let held = false;
  let latency = (): number => 0;
  let loses = (_piece: Buffer): boolean => false;
  let shorten = (data: Buffer): Buffer => data;

  const fromServer = (pair: Pair, data: Buffer): void => {
    if (pair.mute) return;
    if (pair.subscriber || !loses(data)) return pair.back.push(data, latency());
    pair.mute = true;
    pair.back.push(shorten(data), latency());
    pair.back.push(undefined, 0);
  };
  const server = createServer((near) => {
    if (shut) {
      near.destroy();
      return;
    }
    const far = connect(to, '127.0.0.1');
    const [out, back] = [far, near].map((socket) => new Way(socket, () => held)) as [Way, Way];
    const pair: Pair = { near, far, out, back, subscriber: false, mute: false };
    pairs.add(pair);
    near.on('data', (data) => {
      pair.subscriber ||= subscribes.test(data.toString('latin1'));
      out.push(data, latency());
    });
    far.on('data', (data) => fromServer(pair, data));
    for (const [socket, way] of [
      [near, out],
      [far, back],
    ] as const) {
      socket.on('error', () => {});
      socket.on('close', () => {
        way.push(undefined, latency());
        if (near.destroyed && far.destroyed) pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const { near, far, out, back } of pairs) {
      out.drop();
      back.drop();
      near.destroy();
      far.destroy();
    }
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    mute: (which) => {
      for (const pair of pairs) {
        if (which === 'all' || pair.subscriber === (which === 'subscriptions')) pair.mute = true;
      }
    },
    swallow: (rate, random, which = () => true) => {
      loses = (piece) => which(piece) && random() < rate;
      shorten = (data) => data.subarray(0, Math.floor(random() * data.length));
    },
    delay: (ms) => {
      latency = typeof ms === 'number' ? () => ms : ms;
    },
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
      for (const { out, back } of pairs) {
        out.pump();
        back.pump();
      }
    },
    cut,
    shut: () => {
      shut = true;
      cut();
    },
    open: () => {
      shut = false;
    },
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
