/** A node of a test in a process of its own, which can be stopped: `address prefix renewMs`, then told over IPC what to do. */
import { startNode } from './stage.testing.ts';

/** What the process is told. It answers each with what came of it. */
export type Order = { readonly add: readonly string[] } | { readonly remove: string };

const [address = '', prefix = '', renewMs = ''] = process.argv.slice(2);
const node = await startNode(address, prefix, Number(renewMs));

process.on('message', (order: Order) => {
  void carryOut(order).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function carryOut(order: Order): Promise<unknown> {
  if ('remove' in order) return node.manager.remove('c', order.remove);
  for (const client of order.add) await node.manager.add('c', { user: `user of ${client}`, client });
  return 'added';
}
