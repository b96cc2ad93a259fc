export * from './messages.ts';
export * from './codec.ts';
export * from './errors.ts';
export * from './json-scan.ts';
export { jsonCodec } from './json.ts';
export { compileGlob } from './glob.ts';
export { protobufCodec } from './protobuf.ts';
export { createDelta } from './delta.ts';
export { compileFilter, type TagFilter } from './filter.ts';
