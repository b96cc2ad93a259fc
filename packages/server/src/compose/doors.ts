import { openapi, type HttpApi } from '@gyre/api';
import type { Node } from '@gyre/node';
import type { Config } from '../config/schema.ts';
import { createAdmission, type Admission, type AdmissionOptions } from '../http/admission.ts';
import type { Calls } from '../http/calls.ts';
import {
  apiRoutes,
  healthRoutes,
  metricsRoute,
  swaggerRoutes,
  websocketRoute,
  type Mount,
} from '../http/routes.ts';
import type { Metrics } from '../metrics/registry.ts';
import { version } from '../version.ts';
import type { Live } from './live.ts';

/** What is behind the doors. */
export interface Parts {
  readonly node: Node;
  readonly api: HttpApi;
  readonly admission: Admission;
  readonly calls: Calls;
  readonly metrics: Metrics;
  /** Why nobody should come, undefined while they should. */
  readonly unready: () => string | undefined;
}

/** What is served over HTTP, by the listener that it belongs to. */
export interface Doors {
  readonly external: readonly Mount[];
  readonly internal: readonly Mount[];
}

/** Makes the doors that the configuration asks for. */
export function doorsOf(live: () => Live, parts: Parts): Doors {
  const { config } = live();
  const { node, api, admission, calls, metrics, unready } = parts;
  const doors: Record<'external' | 'internal', Mount[]> = { external: [], internal: [] };
  if (!config.websocket.disabled) {
    doors.external.push(websocketDoor(live, node, admission));
  }
  if (!config.http_api.disabled) {
    const { handler_prefix: prefix, external, max_request_size: maxSize } = config.http_api;
    doors[external ? 'external' : 'internal'].push(apiRoutes(prefix, api, maxSize, calls));
  }
  if (config.health.enabled) {
    doors.internal.push(healthRoutes(config.health.handler_prefix, '/ready', unready));
  }
  if (config.prometheus.enabled) {
    doors.internal.push(metricsRoute(config.prometheus.handler_prefix, metrics));
  }
  if (config.swagger.enabled) {
    const document = openapi(config.http_api.handler_prefix, version);
    doors.internal.push(swaggerRoutes(config.swagger.handler_prefix, document));
  }
  return doors;
}

/** Decides who may come in, by the configuration of the moment. */
export function makeAdmission(
  live: () => Live,
  node: Node,
  { loopLag, barred }: Pick<AdmissionOptions, 'loopLag' | 'barred'>,
): Admission {
  return createAdmission({
    get connectionLimit() {
      return live().config.client.connection_limit;
    },
    get connectingLimit() {
      return live().config.client.connecting_limit;
    },
    get loopLagLimit() {
      return live().config.client.connection_lag_limit;
    },
    get connectionRateLimit() {
      return live().config.client.connection_rate_limit;
    },
    connections: () => node.gauges,
    loopLag,
    barred,
  });
}

function websocketDoor(live: () => Live, node: Node, admission: Admission): Mount {
  const { config } = live();
  return websocketRoute(config.websocket.handler_prefix, node, {
    messageSizeLimit: config.websocket.message_size_limit,
    compression: config.websocket.compression,
    compressionMinSize: config.websocket.compression_min_size,
    idleTimeout: idleTimeout(config),
    get keepHeaders() {
      return live().keepHeaders;
    },
    originAllowed: (origin) => live().originAllowed(origin),
    refuse: () => admission.refuse(),
  });
}

/** Seconds: a net below the protocol's own pings, for sockets that do not even answer those. */
function idleTimeout({ client }: Config): number {
  if (client.ping_interval <= 0) return 0;
  const seconds = Math.ceil((client.ping_interval + Math.max(client.pong_timeout, 0)) / 1000) + 8;
  return Math.min(seconds, 960);
}
