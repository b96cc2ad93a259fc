import type { RpcRequest } from '@gyre/protocol';
import type { Session } from '../session.ts';

/** Calls what policy has put behind the method. */
export async function rpc(session: Session, id: number, { method, data }: RpcRequest): Promise<void> {
  const result = await session.context.gate.rpc(session, method, data);
  session.reply({ id, method: 'rpc', result: result === undefined ? {} : { data: result } });
}
