import { describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';
import { clientWith, codeOf, connectQuestion, policyWith } from './testing.ts';

describe('gate', () => {
  it('asks for the policy each time', async () => {
    let policy = policyWith();
    const gate = createGate(() => policy);
    expect(await codeOf(() => gate.connecting(clientWith(), connectQuestion()))).toBe(3501);
    policy = policyWith({ insecure: true });
    expect(await codeOf(() => gate.connecting(clientWith(), connectQuestion()))).toBe(0);
  });

  it('rejects, and does not throw', async () => {
    const gate = createGate(() => policyWith());
    const answers = [
      gate.publish(clientWith(), 'other:x', Buffer.from('1')),
      gate.presence(clientWith(), 'other:x'),
      gate.history(clientWith(), 'other:x'),
      gate.rpc(clientWith(), 'x', undefined),
    ];
    expect((await Promise.allSettled(answers)).map(({ status }) => status)).toStrictEqual(
      Array(4).fill('rejected'),
    );
  });
});

describe('rpc', () => {
  const gate = (enabled: boolean, method = 'ping') =>
    createGate(() => ({ ...policyWith({ insecure: true }), rpc: { ping: { enabled, method } } }));

  it('has a ping where it is switched on, and nothing else', async () => {
    expect(await codeOf(() => gate(false).rpc(clientWith(), 'ping', undefined))).toBe(108);
    expect(await codeOf(() => gate(false).rpc(clientWith(), 'other', undefined))).toBe(108);
    expect(await codeOf(() => gate(true).rpc(clientWith(), 'other', undefined))).toBe(104);
    expect(await codeOf(() => gate(true).rpc(clientWith(), '', undefined))).toBe(104);
    expect(await gate(true).rpc(clientWith(), 'ping', Buffer.from('1'))).toBeUndefined();
    expect(await gate(true, 'mine').rpc(clientWith(), 'mine', undefined)).toBeUndefined();
    expect(await codeOf(() => gate(true, 'mine').rpc(clientWith(), 'ping', undefined))).toBe(104);
  });
});
