import { yamlFile } from './files.ts';

/** The part of a service that is looked at. */
export interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>> | readonly string[];
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}

/**
 * The services of a compose file of the project, with the variables of an environment filled in.
 * @throws Error where a variable is missing that has to be there
 */
export function readCompose(
  path: string,
  env: Readonly<Record<string, string>> = {},
): Readonly<Record<string, Service>> {
  const { services } = yamlFile<{ services: Record<string, Service> }>(path);
  return fill(services, env) as Record<string, Service>;
}

function fill(value: unknown, env: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'string') return fillText(value, env);
  if (Array.isArray(value)) return value.map((item) => fill(item, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, env)]));
}

/** `${X}`, `${X:-default}` and `${X:?message}`; the other forms are not used. */
function fillText(value: string, env: Readonly<Record<string, string>>): string {
  const filled = value.replaceAll(
    /\$\{([A-Z_]+)(?::([-?])([^${}]*))?\}/g,
    (_, name: string, form: string | undefined, rest = '') => {
      const set = env[name] ?? '';
      if (set !== '') return set;
      if (form === '-') return rest;
      throw new Error(`${name}: ${rest}`);
    },
  );
  if (filled.includes('${')) throw new Error(`a form that is not understood: ${value}`);
  return filled;
}
