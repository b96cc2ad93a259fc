// road in 1/5: frames arrive
import { isUtf8 } from 'node:buffer';
import { Disconnect, disconnect, jsonCodec, protobufCodec, type Bytes, type Codec } from '@gyre/protocol';
import type { HttpRequest, HttpResponse, WebSocket, WebSocketBehavior } from 'uWebSockets.js';
import type { Node } from '../node.ts';
import type { Session } from '../session/session.ts';
import type { Transport } from './transport.ts';

export interface WebSocketOptions {
  /** Bytes of the largest frame a client may send; a larger one ends the connection with 1009. */
  readonly messageSizeLimit: number;
  /** Seconds without any traffic after which the socket is given up; 0, or 8 to 960. */
  readonly idleTimeout: number;
  /** Lower-case names of the handshake headers that policy wants to see. */
  readonly keepHeaders: readonly string[];
  /** Whether a handshake with this Origin header ("" for none) is welcome. */
  readonly originAllowed: (origin: string) => boolean;
  /** Status line to refuse any handshake with for now, undefined to welcome it. */
  readonly refuse: () => string | undefined;
}

/** Belongs to one socket. */
interface Peer {
  readonly codec: Codec;
  readonly headers: ReadonlyMap<string, string>;
  session: Session | undefined;
}

const SUBPROTOCOLS = new Map<string, Codec>([
  ['centrifuge-json', jsonCodec],
  ['centrifuge-protobuf', protobufCodec],
]);

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

class WebSocketTransport implements Transport {
  readonly name = 'websocket';
  readonly headers: ReadonlyMap<string, string>;
  readonly #socket: WebSocket<Peer>;
  readonly #binary: boolean;
  #open = true;

  constructor(socket: WebSocket<Peer>, { headers, codec }: Peer) {
    this.#socket = socket;
    this.headers = headers;
    this.#binary = codec.wire === 'protobuf';
  }

  send(frame: Bytes): boolean {
    return !this.#open || this.#socket.send(frame, this.#binary) === 1;
  }

  buffered(): number {
    return this.#open ? this.#socket.getBufferedAmount() : 0;
  }

  close(code: number, reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.end(code, reason);
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

/** The bidirectional WebSocket endpoint of a node, to be mounted by a listener. */
export function websocket(node: Node, options: WebSocketOptions): WebSocketBehavior<Peer> {
  const transports = new WeakMap<Peer, WebSocketTransport>();
  return {
    // The documented limit is enforced below: past this one the peer would see 1006 instead of 1009.
    maxPayloadLength: options.messageSizeLimit * 2 + 1024,
    // The outbox has a limit of its own, far below. Past this one uWebSockets would drop silently.
    maxBackpressure: 0,
    idleTimeout: options.idleTimeout,
    sendPingsAutomatically: false,
    upgrade: (response, request, context) => upgrade(response, request, context, options),
    open(socket) {
      const peer = socket.getUserData();
      const transport = new WebSocketTransport(socket, peer);
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
    drain: (socket) => socket.getUserData().session?.drained(),
    close(socket) {
      const peer = socket.getUserData();
      transports.get(peer)?.gone();
      peer.session?.closed();
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
  const refusal =
    options.refuse() ?? (options.originAllowed(request.getHeader('origin')) ? undefined : '403 Forbidden');
  if (refusal !== undefined) {
    response.writeStatus(refusal).end();
    return;
  }
  const offered = request.getHeader('sec-websocket-protocol');
  const subprotocol = offered
    .split(',')
    .map((name) => name.trim())
    .find((name) => SUBPROTOCOLS.has(name));
  const peer: Peer = {
    codec: codecOf(request, subprotocol),
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

function codecOf(request: HttpRequest, subprotocol: string | undefined): Codec {
  if (request.getQuery('cf_protocol') === 'protobuf' || request.getQuery('format') === 'protobuf')
    return protobufCodec;
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
