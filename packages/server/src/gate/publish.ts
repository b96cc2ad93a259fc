import type { Client, ClientPublishGrant } from '@gyre/node';
import { clientError, isJson, type Bytes, type ClientInfo } from '@gyre/protocol';
import { may, namespaceOf } from './access.ts';
import type { Namespace, Policy } from './policy.ts';

/**
 * Whether a client may publish, and how the publication goes into the channel.
 * @throws ClientError 102, 103, 107
 */
export function publish(policy: Policy, client: Client, channel: string, data: Bytes): ClientPublishGrant {
  const namespace = namespaceOf(policy, channel);
  if (!namespace.streams || !isOfFormat(data, namespace.format, client.wire)) throw clientError('badRequest');
  if (!may('publish', policy, client.user, client.isSubscribed(channel), namespace)) {
    throw clientError('permissionDenied');
  }
  return { publication: { data, info: infoOf(client, channel) }, options: namespace.publishOptions };
}

function isOfFormat(data: Bytes, format: Namespace['format'], wire: Client['wire']): boolean {
  if (format === 'binary') return true;
  if (data.length === 0) return false;
  if (format === '') return true;
  // A command in JSON could not have been read if its data were not.
  if (wire !== 'json' && !isJson(data)) return false;
  return format === 'json' || beginsObject(data);
}

function beginsObject(json: Bytes): boolean {
  for (const byte of json) {
    if (byte === 0x7b) return true;
    if (byte > 0x20) return false;
  }
  return false;
}

function infoOf(client: Client, channel: string): ClientInfo {
  const { user, id, connInfo } = client;
  const chanInfo = client.chanInfo(channel);
  return {
    user,
    client: id,
    ...(connInfo === undefined ? {} : { connInfo }),
    ...(chanInfo === undefined ? {} : { chanInfo }),
  };
}
