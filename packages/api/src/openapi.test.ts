import { describe, expect, it } from 'vitest';
import { methodNames, methods } from './executor.ts';
import { openapi, type Schema } from './openapi.ts';

const document = openapi('/api', '1.2.3');
const { schemas } = document.components;

const contentOf = (part: { content: { 'application/json': { schema: Schema } } }): string =>
  part.content['application/json'].schema.$ref ?? '';

describe('the OpenAPI document', () => {
  it('has every method, with its request', () => {
    expect(Object.keys(document.paths).sort()).toEqual(methodNames.map((name) => `/${name}`).sort());
    for (const name of methodNames) {
      const { requestBody, responses } = document.paths[`/${name}`]!.post;
      expect(contentOf(requestBody)).toBe(`#/components/schemas/${methods[name].request.name}`);
      const response = schemas[contentOf(responses['200']).replace('#/components/schemas/', '')];
      const result = name === 'batch' ? ['replies'] : ['error', 'result'];
      expect(Object.keys(response?.properties ?? {})).toEqual(result);
    }
  });

  it('has every field that is read or written', () => {
    for (const name of methodNames) {
      for (const { name: message, fields } of [methods[name].request, methods[name].result]) {
        const there = Object.keys(schemas[message]?.properties ?? {});
        for (const { wire } of fields) expect(there, `${message}.${wire}`).toContain(wire);
      }
    }
  });

  it('refers to nothing that it does not have', () => {
    const text = JSON.stringify(document);
    const parts = document.components as Readonly<Record<string, Record<string, object>>>;
    const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(50);
    for (const [, kind = '', name = ''] of references) expect(parts[kind]?.[name], name).toBeDefined();
  });

  it('says where it is served, and by which release', () => {
    expect(openapi('/x', '1.2.3').servers).toEqual([{ url: '/x' }]);
    expect(document.info.version).toBe('1.2.3');
  });
});
