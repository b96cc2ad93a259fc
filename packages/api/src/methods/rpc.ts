import { badRequest, notFound } from '../errors.ts';
import type { RpcRequest, RpcResult } from '../messages.ts';

/** There are no methods of a server's own to call, so every name is unknown. */
export async function rpc({ method }: RpcRequest): Promise<RpcResult> {
  throw method === '' ? badRequest() : notFound();
}
