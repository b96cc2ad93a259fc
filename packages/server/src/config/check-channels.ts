import { compilePattern } from '../regex.ts';
import type { Say } from './findings.ts';
import type { ChannelConfig, Config } from './schema.ts';

/** The rules of channels: each option for itself, options of a namespace among each other, names of namespaces. */
export function checkChannels(config: Config, error: Say): void {
  const { channel } = config;
  wholeSeconds('channel.history_meta_ttl', channel.history_meta_ttl, error);
  checkOptions('channel.without_namespace', channel.without_namespace, channel.history_meta_ttl, error);
  for (const namespace of channel.namespaces) {
    checkOptions(`channel.namespaces[${namespace.name}]`, namespace, channel.history_meta_ttl, error);
  }
  checkNames('channel.namespaces', channel.namespaces, error);
  checkNames('rpc.namespaces', config.rpc.namespaces, error);
  checkPersonal(config, error);
}

function checkNames(path: string, items: readonly { readonly name: string }[], error: Say): void {
  const seen = new Set<string>();
  items.forEach(({ name }, index) => {
    if (!/^[-a-zA-Z0-9_.]{2,}$/.test(name)) {
      const shown = name === '' ? 'no name' : `the name ${JSON.stringify(name)}`;
      error(`${path}[${index}].name`, `${shown}; expected two or more of letters, digits, "-", "_" and "."`);
    } else if (seen.has(name)) error(`${path}[${index}].name`, `"${name}" is there twice`);
    seen.add(name);
  });
}

function checkOptions(path: string, options: ChannelConfig, globalMetaTtl: number, error: Say): void {
  checkHistory(path, options, globalMetaTtl, error);
  checkRecovery(path, options, error);
  const fault = regexFault(options.channel_regex);
  if (fault) error(`${path}.channel_regex`, fault);
  const type = options.subscription_type;
  if (type !== '' && type !== 'stream') error(`${path}.subscription_type`, `"${type}" is not served yet`);
}

function checkHistory(path: string, options: ChannelConfig, globalMetaTtl: number, error: Say): void {
  const { history_size: size, history_ttl: ttl, history_meta_ttl: ownMetaTtl } = options;
  if (size > 0 && ttl === 0) error(`${path}.history_size`, `needs ${path}.history_ttl`);
  if (ttl > 0 && size === 0) error(`${path}.history_ttl`, `needs ${path}.history_size`);
  wholeSeconds(`${path}.history_ttl`, ttl, error);
  wholeSeconds(`${path}.history_meta_ttl`, ownMetaTtl, error);
  const metaTtl = ownMetaTtl > 0 ? ownMetaTtl : globalMetaTtl;
  if (metaTtl < ttl) {
    const name = ownMetaTtl > 0 ? `${path}.history_meta_ttl` : 'channel.history_meta_ttl';
    error(name, `must not be less than ${path}.history_ttl`);
  }
}

function checkRecovery(path: string, options: ChannelConfig, error: Say): void {
  const kept = options.history_size > 0 && options.history_ttl > 0;
  if (options.force_recovery && !kept) {
    error(`${path}.force_recovery`, `needs ${path}.history_size and ${path}.history_ttl`);
  }
  if (!options.auto_cache_recover) return;
  if (!options.force_recovery) error(`${path}.auto_cache_recover`, `needs ${path}.force_recovery`);
  if (options.force_recovery_mode !== 'cache') {
    error(`${path}.auto_cache_recover`, `needs ${path}.force_recovery_mode "cache"`);
  }
}

function checkPersonal({ client, channel }: Config, error: Say): void {
  const personal = client.subscribe_to_user_personal_channel;
  if (!personal.enabled) return;
  const path = 'client.subscribe_to_user_personal_channel';
  const name = personal.personal_channel_namespace;
  const options =
    name === '' ? channel.without_namespace : channel.namespaces.find((each) => each.name === name);
  if (!options) error(`${path}.personal_channel_namespace`, `there is no namespace "${name}"`);
  else if (personal.single_connection && !options.presence) {
    error(`${path}.single_connection`, 'needs presence in the channels of users');
  }
}

function wholeSeconds(path: string, ms: number, error: Say): void {
  if (ms % 1000 !== 0) error(path, 'must be whole seconds');
}

/** What keeps a text from being a regular expression in RE2 syntax; undefined where it is one. */
export function regexFault(regex: string): string | undefined {
  try {
    compilePattern(regex);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : '';
    return `not a regular expression (${reason})`;
  }
}
