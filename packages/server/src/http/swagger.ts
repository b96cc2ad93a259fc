import type { OpenApi, Schema } from '@gyre/api';

/**
 * An OpenAPI document as a page to read: plain HTML, without scripts and without anything from elsewhere.
 * @param source where the document itself is
 */
export function swaggerPage(document: OpenApi, source: string): string {
  const { info, paths, components, servers } = document;
  const prefix = servers[0]?.url ?? '';
  const shown = new Set<string>();
  const sections = Object.entries(paths).map(([path, { post }]) => {
    const request = nameOf(post.requestBody.content['application/json'].schema);
    const response = nameOf(post.responses['200'].content['application/json'].schema);
    const { properties = {} } = components.schemas[response] ?? {};
    // The answer is an object with `result` or `error`; that of a batch is not.
    const result = properties['result'] === undefined ? response : nameOf(properties['result']);
    shown.add(request).add(response).add(result);
    return `<section id="${escape(post.operationId)}">
<h2><code>POST ${escape(prefix + path)}</code></h2>
<p>${prose(post.summary)}</p>
<h3>Parameters</h3>
${table(components.schemas[request])}
<h3>Result</h3>
${table(components.schemas[result])}
</section>`;
  });
  const others = Object.entries(components.schemas)
    .filter(([name]) => !shown.has(name) && !/(Request|Response)$/.test(name))
    .map(
      ([name, schema]) =>
        `<section id="${escape(name)}"><h3>${escape(name)}</h3>\n${table(schema)}</section>`,
    );
  const links = Object.entries(paths).map(
    ([path, { post }]) => `<a href="#${escape(post.operationId)}">${escape(path.slice(1))}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(info.title)}</title>
<style>${STYLE}</style>
<h1>${escape(info.title)} <small>${escape(info.version)}</small></h1>
<p>${prose(info.description)}</p>
<pre>curl -X POST http://localhost:8000${escape(prefix)}/publish -H 'X-API-Key: &lt;key>' -d '{"channel": "news", "data": {"text": "hello"}}'</pre>
<p><a href="${escape(source)}">OpenAPI document</a></p>
<nav>${links.join(' ')}</nav>
${sections.join('\n')}
<h2>Objects</h2>
${others.join('\n')}
</html>
`;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
code, pre { font: 14px/1.5 ui-monospace, monospace }
pre { background: #f4f4f4; padding: 1em; overflow: auto }
nav a { margin-right: 0.7em }
section { border-top: 1px solid #ddd; margin-top: 1.5em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: 0.25em 1em 0.25em 0; vertical-align: top; border-bottom: 1px solid #eee }
td:first-child { white-space: nowrap }
small { color: #777; font-weight: normal }`;

function table(schema: Schema | undefined): string {
  const about = schema?.description === undefined ? '' : `<p>${prose(schema.description)}</p>\n`;
  const rows = Object.entries(schema?.properties ?? {}).map(
    ([name, field]) =>
      `<tr><td><code>${escape(name)}</code><td>${typeOf(field)}<td>${prose(field.description ?? '')}`,
  );
  if (rows.length === 0) return `${about}<p>Nothing.</p>`;
  return `${about}<table>\n<tr><th>Field<th>Type<th>Meaning\n${rows.join('\n')}\n</table>`;
}

/** A type in words; a message is a link to its own table. */
function typeOf(schema: Schema): string {
  const name = nameOf(schema);
  if (name !== '') return `<a href="#${escape(name)}">${escape(name)}</a>`;
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map to ${typeOf(schema.additionalProperties)}`;
  return escape(schema.format === 'byte' ? 'base64' : (schema.type ?? 'JSON'));
}

function nameOf(schema: Schema): string {
  return (schema.$ref ?? schema.allOf?.[0]?.$ref ?? '').replace('#/components/schemas/', '');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
}

/** Text with names in back-quotes. */
function prose(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}
