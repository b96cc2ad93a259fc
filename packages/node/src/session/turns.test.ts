import { describe, expect, it } from 'vitest';
import { settled, startNode } from '../testing.ts';

/** One frame may hold thousands of commands: they must cost their sender, not everybody. */

const ping = (id: number): object => ({ id, rpc: { method: 'm' } });
const many = (count: number): object[] => Array.from({ length: count }, (_, n) => ping(n + 2));

const ids = (messages: readonly Record<string, unknown>[]): unknown[] => messages.map(({ id }) => id);

/** Works for a millisecond, as a costly command does. */
function busy(): void {
  for (const end = performance.now() + 1; performance.now() < end;);
}

describe('the commands of one frame', () => {
  it('give others a turn between them', async () => {
    const stage = await startNode({
      rpc: async () => {
        busy();
        return Buffer.from('1');
      },
    });
    const greedy = await stage.connected();
    const modest = await stage.connected();
    const order: string[] = [];
    greedy.transport.send = () => order.push('greedy') > 0;
    modest.transport.send = () => order.push('modest') > 0;
    greedy.send(...many(100));
    setImmediate(() => modest.send(ping(2)));
    while (order.at(-1) !== 'greedy' || !order.includes('modest')) await settled();
    expect(order.indexOf('modest')).toBeLessThan(order.lastIndexOf('greedy'));
    await stage.stop();
  });

  it('wait for a client that does not read its answers, and are then carried out', async () => {
    const answer = Buffer.from(JSON.stringify('x'.repeat(100_000)));
    let carriedOut = 0;
    const stage = await startNode({
      rpc: async () => {
        busy();
        carriedOut++;
        return answer;
      },
    });
    const peer = await stage.connected();
    peer.transport.stalled = true;
    peer.send(...many(200));
    for (let before = -1; before < carriedOut;) {
      before = carriedOut;
      await settled();
    }
    // A turn or two of them.
    expect(carriedOut).toBeLessThan(40);

    peer.transport.resume();
    peer.session.drained();
    const answered = ids(peer.messages());
    while (answered.length < 200) {
      await settled();
      answered.push(...ids(peer.messages()));
    }
    expect(answered).toEqual(many(200).map((_, n) => n + 2));
    await stage.stop();
  });
});
