import { checkChannels, regexFault } from './check-channels.ts';
import { checkDoors } from './check-doors.ts';
import { checkRedis } from './check-redis.ts';
import { formatDuration } from './duration.ts';
import { about, type Findings, type Say } from './findings.ts';
import type { Config } from './schema.ts';
import { endTimes } from './shutdown.ts';

/**
 * The rules between the values of a configuration. All that is broken is found, not the first of it.
 * @param where what set a path, for messages
 */
export function checkConfig(
  config: Config,
  where: (path: string) => string | undefined,
  findings: Findings,
): void {
  const error: Say = (path, text) => findings.errors.push(about(path, where(path), text));
  const warn: Say = (path, text) => findings.warnings.push(about(path, where(path), text));
  checkListeners(config, error);
  checkEngines(config, error);
  checkRedis(config, where, error, warn);
  checkClient(config, error);
  checkTokens('client.token', config.client.token, error);
  checkTokens('client.subscription_token', config.client.subscription_token, error);
  checkChannels(config, error);
  checkPaths(config, error);
  checkDoors(config, warn);
  checkEnd(config, warn);
}

function checkListeners({ http_server: http, grpc_api: grpc }: Config, error: Say): void {
  const internal = http.internal_port;
  if (internal !== '' && !(/^\d{1,5}$/.test(internal) && Number(internal) <= 65_535)) {
    error('http_server.internal_port', 'expected a port from 0 to 65535');
  }
  const sections = {
    'http_server.tls': http.tls,
    'http_server.internal_tls': http.internal_tls,
    'grpc_api.tls': grpc.tls,
  };
  for (const [path, { enabled, cert_pem, key_pem }] of Object.entries(sections)) {
    if (enabled && cert_pem === '') error(`${path}.cert_pem`, 'needed where TLS is enabled');
    if (enabled && key_pem === '') error(`${path}.key_pem`, 'needed where TLS is enabled');
  }
}

/** Starting on memory where another engine is asked for would cut a cluster into nodes that do not hear each other. */
function checkEngines(config: Config, error: Say): void {
  for (const name of ['broker', 'presence_manager', 'controller'] as const) {
    const { enabled, type } = config[name];
    if (enabled && type !== 'memory') error(`${name}.type`, `"${type}" is not served yet`);
  }
}

function checkClient({ client }: Config, error: Say): void {
  if (client.ping_interval > 0 && client.pong_timeout >= client.ping_interval) {
    error('client.pong_timeout', 'must be less than client.ping_interval');
  }
}

function checkTokens(path: string, token: Config['client']['token'], error: Say): void {
  for (const claim of ['audience', 'issuer'] as const) {
    const regex = token[`${claim}_regex`];
    if (token[claim] !== '' && regex !== '')
      error(`${path}.${claim}_regex`, `not together with ${path}.${claim}`);
    const fault = regexFault(regex);
    if (fault) error(`${path}.${claim}_regex`, fault);
  }
  if (!/^[a-zA-Z_]*$/.test(token.user_id_claim)) {
    error(`${path}.user_id_claim`, 'may only have letters and "_"');
  }
}

function checkPaths(config: Config, error: Say): void {
  for (const name of ['http_api', 'websocket', 'prometheus', 'health'] as const) {
    if (!/^(\/\S*)?$/.test(config[name].handler_prefix))
      error(`${name}.handler_prefix`, 'must begin with "/"');
  }
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(config.prometheus.prefix)) {
    error('prometheus.prefix', 'may only have letters, digits and "_", and no digit first');
  }
}

/** A server that ends keeps to its timeout by shortening the rest. */
function checkEnd({ shutdown }: Config, warn: Say): void {
  const { ready_wait, drain_time, timeout } = shutdown;
  const { readyWait, drainTime } = endTimes(shutdown);
  if (readyWait >= ready_wait && drainTime >= drain_time) return;
  const both = formatDuration(ready_wait + drain_time);
  warn(
    'shutdown.timeout',
    `${formatDuration(timeout)} is too short for ready_wait and drain_time (${both}) and what comes after, so both are cut`,
  );
}
