import { paths, schemas } from './gen/openapi.ts';

/** A type of JSON, as far as the document uses the language. */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
}

/** By name. */
export type Schemas = Readonly<Record<string, Schema>>;

interface Content {
  readonly 'application/json': { readonly schema: Schema };
}

/** By path below the prefix. */
export type Paths = Readonly<
  Record<
    string,
    {
      readonly post: {
        readonly operationId: string;
        readonly summary: string;
        readonly parameters: readonly object[];
        readonly requestBody: { readonly required: boolean; readonly content: Content };
        readonly responses: Readonly<Record<string, object>> & {
          readonly '200': { readonly description: string; readonly content: Content };
        };
      };
    }
  >
>;

/** An OpenAPI document, version 3. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly object[];
  readonly paths: Paths;
  readonly components: { readonly schemas: Schemas } & Readonly<Record<string, object>>;
}

const description =
  'Each method is a POST with a JSON object. It is answered with status 200 and an object with `result` or `error`; ' +
  '`batch` with its replies. Absent fields are zero. A payload is JSON of any type; its twin `b64…` carries any bytes in ' +
  'base64, and wins. Integers are whole numbers up to 2^53 - 1.';

const text = (what: string): object => ({
  description: what,
  content: { 'text/plain': { schema: { type: 'string' } } },
});

const responses = {
  BadRequest: text(
    'The body is not JSON, or a field is of another type. With errors as statuses also an error.',
  ),
  Unauthorized: { description: 'The key is missing or wrong.' },
  TooLarge: text('The body is longer than allowed. Nothing of it was carried out.'),
  Error: {
    description: 'With errors as statuses: the error.',
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
  },
};

const parameters = {
  ErrorMode: {
    name: 'X-Centrifugo-Error-Mode',
    in: 'header',
    description: '`transport` tells errors by the status of the answer; its body is then the bare error.',
    schema: { type: 'string', enum: ['transport'] },
  },
};

const securitySchemes = {
  key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  authorization: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'The word `apikey`, a space, the key.',
  },
  query: { type: 'apiKey', in: 'query', name: 'api_key', description: 'Where no header can be set.' },
};

/**
 * The description of the server API over HTTP.
 * @param prefix the path that it is served under
 */
export function openapi(prefix: string, version: string): OpenApi {
  return {
    openapi: '3.0.3',
    info: { title: 'Server API', version, description },
    servers: [{ url: prefix }],
    paths,
    components: { schemas, responses, parameters, securitySchemes },
    security: [{ key: [] }, { authorization: [] }, { query: [] }],
  };
}
