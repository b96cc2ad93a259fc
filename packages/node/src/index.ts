export { Node, type NodeGauges, type NodeParts } from './node.ts';
export type { Log, NodeOptions, NodeStats } from './options.ts';
export type * from './gate.ts';
export type { Transport } from './transports/transport.ts';
export { websocket, type WebSocketOptions } from './transports/websocket.ts';
