export type * from './rules.ts';
export type * from './messages.ts';
export type { Services } from './context.ts';
export { createExecutor, type ApiStats, type Caller, type Executor, type Log } from './executor.ts';
export { fitsFormat } from './payload.ts';
export {
  http,
  internalServerError,
  type HttpApi,
  type HttpCall,
  type HttpHead,
  type HttpOptions,
  type HttpResponse,
} from './http.ts';
export { openapi, type OpenApi, type Schema } from './openapi.ts';
