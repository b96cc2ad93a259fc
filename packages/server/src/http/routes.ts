import type { HttpApi, HttpHead, HttpResponse as ApiResponse, OpenApi } from '@gyre/api';
import { internalServerError } from '@gyre/api';
import { websocket, type Node, type WebSocketOptions } from '@gyre/node';
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Calls } from './calls.ts';
import { Exchange, type Answer } from './exchange.ts';
import { swaggerPage } from './swagger.ts';

/** Puts a set of routes on a listener. */
export type Mount = (app: TemplatedApp) => void;

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

/** Bidirectional clients over WebSocket. A plain request there is answered too: scripts wait for it at start. */
export function websocketRoute(path: string, node: Node, options: WebSocketOptions): Mount {
  const behavior = websocket(node, options);
  return (app) => {
    app.ws(path, behavior);
    route(app, path, (request) =>
      request.getMethod() === 'get'
        ? { status: 400, contentType: TEXT, body: 'Not a WebSocket handshake\n' }
        : { status: 405 },
    );
  };
}

const CLOSE = { Connection: 'close' } as const;

/** The server API. A request is let in, or not, before its body is read. */
export function apiRoutes(prefix: string, api: HttpApi, maxRequestSize: number, calls: Calls): Mount {
  const ended = (): void => calls.end();
  const handler = (response: HttpResponse, request: HttpRequest): void => {
    calls.begin();
    const exchange = new Exchange(response, ended);
    if (calls.taken === 'none') {
      exchange.answer({ status: 503, headers: { ...CLOSE, 'Retry-After': '1' } });
      return;
    }
    const reply = (answer: ApiResponse): void =>
      exchange.answer(calls.taken === 'all' ? answer : { ...answer, headers: CLOSE });
    const opened = api.open(new Head(request, prefix));
    if (typeof opened !== 'function') {
      reply(opened);
      return;
    }
    exchange.read(maxRequestSize, (body) => {
      // The API never rejects over what it was asked; anything else must not leave its caller waiting.
      opened(body).then(reply, () => reply(internalServerError));
    });
  };
  return (app) => {
    app.any(prefix, handler);
    app.any(`${prefix}/*`, handler);
  };
}

/**
 * `live` answers as long as the process does; `ready` while it should be sent connections and calls, and else says why not.
 * @param unready why not, undefined while it should
 */
export function healthRoutes(live: string, ready: string, unready: () => string | undefined): Mount {
  return (app) => {
    route(app, live, () => ({ status: 200, contentType: JSON_TYPE, body: '{}' }));
    route(app, ready, () => {
      const reason = unready();
      return reason === undefined
        ? { status: 200, contentType: JSON_TYPE, body: '{}' }
        : { status: 503, contentType: JSON_TYPE, body: JSON.stringify({ ready: false, reason }) };
    });
  };
}

export function metricsRoute(
  path: string,
  metrics: { readonly contentType: string; text(): Promise<string> },
): Mount {
  return (app) => {
    app.get(path, (response) => {
      const exchange = new Exchange(response);
      metrics.text().then(
        (body) => exchange.answer({ status: 200, contentType: metrics.contentType, body }),
        () => exchange.answer({ status: 500, contentType: TEXT, body: 'Metrics cannot be collected\n' }),
      );
    });
  };
}

/** The description of the server API: a page to read, and the OpenAPI document itself. */
export function swaggerRoutes(prefix: string, document: OpenApi): Mount {
  const source = `${prefix}/openapi.json`;
  const page: Answer = {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    headers: { 'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'" },
    body: swaggerPage(document, source),
  };
  const json: Answer = { status: 200, contentType: JSON_TYPE, body: JSON.stringify(document) };
  return (app) => {
    for (const path of [prefix, `${prefix}/`]) route(app, path, () => page);
    route(app, source, () => json);
  };
}

/** Everything else. Mount it last. */
export function notFoundRoute(): Mount {
  return (app) => route(app, '/*', () => ({ status: 404, contentType: TEXT, body: '404 page not found\n' }));
}

/** A route, for any verb, whose answer needs no body and is known at once. */
function route(app: TemplatedApp, path: string, answer: (request: HttpRequest) => Answer): void {
  app.any(path, (response, request) => new Exchange(response).answer(answer(request)));
}

/** What the server API looks at before a body, asked of the request when it is needed. Gone when its handler returns. */
class Head implements HttpHead {
  readonly #request: HttpRequest;
  readonly path: string;

  constructor(request: HttpRequest, prefix: string) {
    this.#request = request;
    this.path = request.getUrl().slice(prefix.length);
  }

  get method(): string {
    return this.#request.getCaseSensitiveMethod();
  }

  get query(): string {
    return this.#request.getQuery();
  }

  header(name: string): string {
    return this.#request.getHeader(name);
  }
}
