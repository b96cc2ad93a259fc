import { describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';
import { publish } from './publish.ts';
import { history } from './history.ts';
import { clientWith, codeOf, policyWith } from './testing.ts';

const open = { allow_publish_for_client: true };

describe('format of data', () => {
  // wire, data, then the code for each format
  const formats = ['', 'json', 'json_object', 'binary'] as const;
  it.each<['json' | 'protobuf', string, readonly number[]]>([
    ['json', '', [107, 107, 107, 0]],
    ['json', '1', [0, 0, 107, 0]],
    ['json', '"{"', [0, 0, 107, 0]],
    ['json', '[{}]', [0, 0, 107, 0]],
    ['json', '{}', [0, 0, 0, 0]],
    ['json', ' \t\r\n{"a":1}', [0, 0, 0, 0]],
    ['protobuf', '', [107, 107, 107, 0]],
    ['protobuf', '{}', [0, 0, 0, 0]],
    ['protobuf', '{', [0, 107, 107, 0]],
    ['protobuf', '{}x', [0, 107, 107, 0]],
    ['protobuf', '\0\x01', [0, 107, 107, 0]],
    ['protobuf', ' ', [0, 107, 107, 0]],
  ])('%s %j: %j', async (wire, data, codes) => {
    const namespaces = Object.fromEntries(
      formats.map((format) => [format || 'any', { ...open, publication_data_format: format }]),
    );
    const gate = createGate(() => policyWith({}, {}, namespaces));
    const client = clientWith({ wire });
    const ask = (format: string) =>
      codeOf(() => gate.publish(client, `${format || 'any'}:x`, Buffer.from(data)));
    expect(await Promise.all(formats.map(ask))).toStrictEqual(codes);
  });

  it('is looked at before permissions, after the name', async () => {
    const gate = createGate(() => policyWith());
    expect(await codeOf(() => gate.publish(clientWith(), 'x', Buffer.alloc(0)))).toBe(107);
    expect(await codeOf(() => gate.publish(clientWith(), 'other:x', Buffer.alloc(0)))).toBe(102);
    expect(await codeOf(() => gate.publish(clientWith(), 'x', Buffer.from('1')))).toBe(103);
  });

  it('may be that of all channels', async () => {
    const policy = policyWith({}, open, {}, { publication_data_format: 'json_object' });
    expect(await codeOf(() => createGate(() => policy).publish(clientWith(), 'x', Buffer.from('1')))).toBe(
      107,
    );
  });
});

describe('a granted publication', () => {
  const data = Buffer.from('{"a":1.0}');
  it('says who sends it', () => {
    const connInfo = Buffer.from('1');
    const chanInfo = Buffer.from('2');
    const client = clientWith({ connInfo, chanInfo: (channel) => (channel === 'x' ? chanInfo : undefined) });
    const { id, user } = client;
    expect(publish(policyWith({}, open), client, 'x', data).publication).toStrictEqual({
      data,
      info: { user, client: id, connInfo, chanInfo },
    });
    expect(publish(policyWith({}, open), clientWith(), 'x', data).publication).toStrictEqual({
      data,
      info: { user, client: id },
    });
    expect(publish(policyWith({}, open), client, 'x', data).publication.data).toBe(data);
  });

  it('goes in as the namespace says', () => {
    const kept = { ...open, history_size: 10, history_ttl: 60_000, allow_history_for_client: true };
    const policy = policyWith({}, { ...kept, delta_publish: true });
    const options = { size: 10, ttlMs: 60_000, metaTtlMs: 2_592_000_000 };
    expect(publish(policy, clientWith(), 'x', data).options).toStrictEqual({ history: options, delta: true });
    expect(publish(policyWith({}, open), clientWith(), 'x', data).options).toStrictEqual({ delta: false });
    expect(history(policy, clientWith(), 'x')).toStrictEqual(options);
  });

  it('goes only into streams', async () => {
    const policy = policyWith({}, { ...open, subscription_type: 'map' });
    expect(await codeOf(() => createGate(() => policy).publish(clientWith(), 'x', data))).toBe(107);
  });
});
