// road in 1/5: frames arrive
import { isUtf8 } from 'node:buffer';
import { Disconnect, disconnect, jsonCodec, protobufCodec, type Bytes, type Codec } from '@gyre/protocol';
import {
  DISABLED,
  SHARED_COMPRESSOR,
  SHARED_DECOMPRESSOR,
  type HttpRequest,
  type HttpResponse,
  type WebSocket,
  type WebSocketBehavior,
} from 'uWebSockets.js';
import type { Node } from '../node.ts';
import type { Session } from '../session/session.ts';
import type { Transport } from './transport.ts';

export interface WebSocketOptions {
  /** Bytes of the largest frame a client may send; a larger one ends the connection with 1009. */
  readonly messageSizeLimit: number;
  /** Seconds without any traffic after which the socket is given up; 0, or 8 to 960. */
  readonly idleTimeout: number;
  /** Compress for clients that offer it, with a compressor that all connections share. */
  readonly compression: boolean;
  /** Bytes from which a frame is compressed; never below 1 KiB. */
  readonly compressionMinSize: number;
  /** Lower-case names of the handshake headers that policy wants to see. */
  readonly keepHeaders: readonly string[];
  /** Whether a handshake with this Origin header ("" for none) is welcome. */
  readonly originAllowed: (origin: string) => boolean;
  /** Whether any handshake is to be refused for now; asked once for each. */
  readonly refuse: () => boolean;
}

/** Belongs to one socket. */
interface Peer {
  readonly codec: Codec;
  /** The client asked for pings as WebSocket frames (`cf_ws_frame_ping_pong`). */
  readonly framePings: boolean;
  readonly headers: ReadonlyMap<string, string>;
  session: Session | undefined;
}

const SUBPROTOCOLS = new Map<string, Codec>([
  ['centrifuge-json', jsonCodec],
  ['centrifuge-protobuf', protobufCodec],
]);

/** What uWebSockets says of a frame that the operating system took at once. */
const SENT = 1;

/** Seconds. Clients have a back-off of their own, which spreads them; this is for whoever has none. */
const RETRY_AFTER = '1';

/** Smaller frames gain nothing from compression. */
const MIN_COMPRESSED = 1024;

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly headers: ReadonlyMap<string, string>;
  readonly ping?: () => void;
  readonly #socket: WebSocket<Peer>;
  /** Bytes from which a frame is compressed, where the client can undo that. */
  readonly #compressFrom: number;
  readonly #binary: boolean;
  #open = true;

  constructor(socket: WebSocket<Peer>, { headers, codec, framePings }: Peer, compressFrom: number) {
    this.#socket = socket;
    this.#compressFrom = compressFrom;
    if (framePings) {
      this.ping = () => {
        if (this.#open) socket.ping();
      };
    }
    this.headers = headers;
    this.#binary = codec.wire === 'protobuf';
  }

  send(frame: Bytes): boolean {
    return !this.#open || this.#socket.send(frame, this.#binary, frame.length >= this.#compressFrom) === SENT;
  }

  buffered(): number {
    return this.#open ? this.#socket.getBufferedAmount() : 0;
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.end(code, fitting(reason));
  }

  terminate(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }

  gone(): void {
    this.#open = false;
  }
}

/** Bytes of a reason that a close frame has room for. */
const MAX_REASON = 123;

/** A reason that a close frame can carry, cut between characters: a frame that is not UTF-8 is no close frame. */
function fitting(reason: string): string {
  if (reason.length * 3 <= MAX_REASON) return reason;
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON));
  return reason.slice(0, read);
}

/** The bidirectional WebSocket endpoint of a node, to be mounted by a listener. */
export function websocket(node: Node, options: WebSocketOptions): WebSocketBehavior<Peer> {
  const transports = new WeakMap<Peer, WebSocketTransport>();
  const compressFrom = options.compression ? Math.max(options.compressionMinSize, MIN_COMPRESSED) : Infinity;
  return {
    compression: options.compression ? SHARED_COMPRESSOR | SHARED_DECOMPRESSOR : DISABLED,
    // The documented limit is enforced below: past this one the peer would see 1006 instead of 1009.
    maxPayloadLength: options.messageSizeLimit * 2 + 1024,
    // The outbox has a limit of its own, far below. Past this one uWebSockets would drop silently.
    maxBackpressure: 0,
    idleTimeout: options.idleTimeout,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) => upgrade(response, request, context, options),
    open(socket) {
      const peer = socket.getUserData();
      const transport = new WebSocketTransport(socket, peer, compressFrom);
      transports.set(peer, transport);
      peer.session = node.open(transport, peer.codec);
      // Nothing may be sent from inside `open`.
      if (peer.session === undefined) setImmediate(() => closeWith(transport, disconnect('shutdown')));
    },
    message(socket, message, isBinary) {
      const peer = socket.getUserData();
      if (message.byteLength > options.messageSizeLimit) {
        peer.session?.disconnect(new Disconnect(1009, ''));
        return;
      }
      const frame = Buffer.from(message);
      // Text frames were checked by uWebSockets.
      if (isBinary && peer.codec.wire === 'json' && !isUtf8(frame))
        peer.session?.disconnect(disconnect('badRequest'));
      else peer.session?.receive(frame);
    },
    pong: (socket) => socket.getUserData().session?.ponged(),
    drain: (socket) => socket.getUserData().session?.drained(),
    close(socket, code, reason) {
      const peer = socket.getUserData();
      transports.get(peer)?.gone();
      peer.session?.closed(code, Buffer.from(reason).toString());
    },
  };
}

function closeWith(transport: Transport, { code, reason }: Disconnect): void {
  transport.close(code, reason);
}

function upgrade(
  response: HttpResponse,
  request: HttpRequest,
  context: Parameters<HttpResponse['upgrade']>[4],
  options: WebSocketOptions,
): void {
  if (options.refuse()) {
    response.writeStatus('503 Service Unavailable').writeHeader('Retry-After', RETRY_AFTER).end();
    return;
  }
  if (!options.originAllowed(request.getHeader('origin'))) {
    response.writeStatus('403 Forbidden').end();
    return;
  }
  const subprotocol = known(request.getHeader('sec-websocket-protocol'));
  const text = request.getQuery();
  const query = text === '' ? undefined : new URLSearchParams(text);
  const peer: Peer = {
    codec: codecOf(query, subprotocol),
    framePings: query?.get('cf_ws_frame_ping_pong') === 'true',
    headers: kept(request, options.keepHeaders),
    session: undefined,
  };
  response.upgrade(
    peer,
    request.getHeader('sec-websocket-key'),
    subprotocol ?? '',
    request.getHeader('sec-websocket-extensions'),
    context,
  );
}

/** The first of the offered sub-protocols that is spoken here. */
function known(offered: string): string | undefined {
  if (offered === '') return undefined;
  const names = offered.split(',').map((name) => name.trim());
  return names.find((name) => SUBPROTOCOLS.has(name));
}

function codecOf(query: URLSearchParams | undefined, subprotocol: string | undefined): Codec {
  if (query?.get('cf_protocol') === 'protobuf' || query?.get('format') === 'protobuf') return protobufCodec;
  return (subprotocol === undefined ? undefined : SUBPROTOCOLS.get(subprotocol)) ?? jsonCodec;
}

/** A request is gone when its handler returns: what is needed later is copied now. */
function kept(request: HttpRequest, names: readonly string[]): ReadonlyMap<string, string> {
  if (names.length === 0) return NO_HEADERS;
  const headers = new Map<string, string>();
  for (const name of names) {
    const value = request.getHeader(name);
    if (value !== '') headers.set(name, value);
  }
  return headers;
}
