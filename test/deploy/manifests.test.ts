import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError, loadConfig, type Config } from '../../packages/server/src/config/load.ts';
import { gyre } from '../harness/index.ts';
import { readCompose } from './compose-file.ts';
import { files, parseEnvFile, parseYaml, text, yamlFile } from './files.ts';
import { baseManifests, chartManifests, gyrePod, type Pod } from './manifests.ts';

/** What is written in deploy/ and docker-compose.yml, held against the program that it runs. */

type Env = Readonly<Record<string, string>>;

const compose = readCompose('docker-compose.yml');
const nodes = Object.entries(compose).filter(([name]) => name.startsWith('gyre-'));
const base = baseManifests();
const chart = chartManifests('deployment.yaml');
const values = yamlFile<Values>('deploy/helm/gyre/values.yaml');
const kubernetesEnv = parseEnvFile(text('deploy/kubernetes/base/options.env'));
const version = (JSON.parse(text('package.json')) as { version: string }).version;

interface Values {
  readonly config: unknown;
  readonly shutdown: Readonly<Record<'preStop' | 'readyWait' | 'drain' | 'timeout', number>>;
}

/** What the server says of an environment and a file. */
function complaints(env: Env, file: unknown = {}): string[] {
  const cwd = mkdtempSync(join(tmpdir(), 'gyre-deploy-'));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  writeFileSync(join(cwd, 'config.json'), JSON.stringify(file));
  try {
    loadConfig({ argv: [], env, cwd, strict: true });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [...error.messages];
  }
}

/** What an environment sets, on the engine that every release serves. */
function load(env: Env): Config {
  return loadConfig({ argv: [], env: { ...env, GYRE_ENGINE_TYPE: 'memory' }, cwd: tmpdir() }).config;
}

const seconds = (duration: string | undefined): number => Number(/^(\d+)s$/.exec(duration ?? '')?.[1]);

describe('every variable is an option', () => {
  it.each(nodes)('of %s in docker-compose.yml', (_, { environment }) => {
    expect(complaints(environment ?? {})).toEqual([]);
  });

  it('with the secrets of one’s own, in deploy/compose/public.yml', () => {
    const secrets = { API_KEY: 'a', TOKEN_SECRET: 'b', REDIS_PASSWORD: 'c', ALLOWED_ORIGINS: 'https://a.b' };
    const { 'gyre-1': node } = readCompose('deploy/compose/public.yml', secrets);
    // It is put over the other file, which sets the engine.
    expect(complaints({ GYRE_ENGINE_TYPE: 'redis', ...node?.environment })).toEqual([]);
    for (const missing of Object.keys(secrets)) {
      expect(() => readCompose('deploy/compose/public.yml', { ...secrets, [missing]: '' })).toThrow(missing);
    }
  });

  it('in the kustomize base, with the example’s secrets and the configuration file', () => {
    const [secret] = parseYaml<{ stringData: Env }>(text('deploy/kubernetes/example/secret.yaml'));
    const env = { ...kubernetesEnv, ...secret?.stringData, GYRE_NODE_NAME: 'gyre-0' };
    expect(complaints(env, JSON.parse(text('deploy/kubernetes/base/config.json')))).toEqual([]);
    expect(gyrePod(base).containers[0].env?.map(({ name }) => name)).toEqual([
      'GYRE_NODE_NAME',
      'GYRE_GRPC_API_KEY',
    ]);
  });

  it('in the chart, with its configuration', () => {
    const sample: Env = {
      GYRE_GRPC_API_ENABLED: 'true',
      GYRE_CLIENT_CONNECTION_LIMIT: '1',
      GYRE_CLIENT_CONNECTION_RATE_LIMIT: '1',
      GYRE_CLIENT_CONNECTING_LIMIT: '1',
      GYRE_CLIENT_CONNECTION_LAG_LIMIT: '1ms',
      GYRE_SHUTDOWN_READY_WAIT: '1s',
      GYRE_SHUTDOWN_DRAIN_TIME: '1s',
      GYRE_SHUTDOWN_TIMEOUT: '8s',
    };
    const names = gyrePod(chart).containers[0].env ?? [];
    const env = names.map(({ name, value }) => [
      name,
      value === undefined || value === 'templated' ? (sample[name] ?? 'x') : value,
    ]);
    expect(complaints({ GYRE_HTTP_API_KEY: 'k', ...Object.fromEntries(env) }, values.config)).toEqual([]);
  });

  it('in the image', () => {
    const named = text('deploy/docker/Dockerfile').match(/\bGYRE_\w+/g) ?? [];
    const health = text('deploy/docker/healthcheck.mjs').match(/\bGYRE_\w+/g) ?? [];
    expect(complaints(Object.fromEntries([...named, ...health].map((name) => [name, '1'])))).toEqual([]);
  });
});

describe('ports', () => {
  const config = load(kubernetesEnv);
  const ports = {
    clients: config.http_server.port,
    internal: Number(config.http_server.internal_port),
    grpc: config.grpc_api.port,
  };

  it.each([
    ['the kustomize base', base],
    ['the chart', chart],
  ])('of the container are those of the options, in %s', (_, manifests) => {
    const [container] = gyrePod(manifests).containers;
    const named = container.ports.map(({ name, containerPort }) => [name, containerPort]);
    expect(Object.fromEntries(named)).toEqual(ports);
    for (const [name, value] of Object.entries(kubernetesEnv).filter(([key]) => key.endsWith('_PORT'))) {
      expect(container.env?.find((variable) => variable.name === name)?.value ?? value).toBe(value);
    }
  });

  it('of the services lead to them', () => {
    for (const manifests of [base, chartManifests('services.yaml')]) {
      const services = manifests.filter(({ kind }) => kind === 'Service');
      const led = services.flatMap(({ spec }) => spec.ports ?? []);
      expect(Object.fromEntries(led.map(({ targetPort, port }) => [targetPort, port]))).toEqual(ports);
    }
  });

  it('are opened by the image', () => {
    const [, exposed] = /^EXPOSE (.+)$/m.exec(text('deploy/docker/Dockerfile')) ?? [];
    expect(exposed?.split(' ').map(Number)).toEqual(Object.values(ports));
  });

  it('behind HAProxy and nginx are those of the compose file’s nodes', () => {
    const { http_server: server } = load(nodes[0]?.[1].environment ?? {});
    const expected = nodes.flatMap(([name]) => [`${name}:${server.port}`, `${name}:${server.internal_port}`]);
    const haproxy = text('deploy/haproxy/haproxy.cfg');
    expect(haproxy.match(/\bgyre-\d:\d+/g)?.sort()).toEqual(expected.sort());
    expect(haproxy).toContain(`check port ${server.internal_port} `);
    expect(
      text('deploy/nginx/gyre.conf')
        .match(/\bgyre-\d:\d+/g)
        ?.sort(),
    ).toEqual(expected);
  });
});

describe('probes', () => {
  const { health } = load(kubernetesEnv);

  it.each([
    ['the kustomize base', base],
    ['the chart', chart],
  ])('ask for life and for readiness on the internal port, in %s', (_, manifests) => {
    const [container] = gyrePod(manifests).containers;
    const live = { path: health.handler_prefix, port: 'internal' };
    expect(container.startupProbe.httpGet).toEqual(live);
    expect(container.livenessProbe.httpGet).toEqual(live);
    expect(container.readinessProbe.httpGet).toEqual({ path: '/ready', port: 'internal' });
  });

  it('of HAProxy ask for readiness', () => {
    const asked = text('deploy/haproxy/haproxy.cfg').match(/http-check send .*/g);
    expect(asked).toEqual(Array(2).fill('http-check send meth GET uri /ready ver HTTP/1.1 hdr Host gyre'));
  });
});

describe('the end of a node has the time it needs', () => {
  /** Seconds: of what is waited for and done, with 5 for what comes after; and of the whole. */
  const ending = ({ shutdown }: Config) => ({
    needed: (shutdown.ready_wait + shutdown.drain_time) / 1000 + 5,
    timeout: shutdown.timeout / 1000,
  });

  it('in docker-compose.yml', () => {
    for (const [, { environment, stop_grace_period: grace }] of nodes) {
      const { needed, timeout } = ending(load(environment ?? {}));
      expect(timeout).toBeGreaterThanOrEqual(needed);
      expect(seconds(grace)).toBeGreaterThan(timeout);
    }
  });

  it('in the kustomize base', () => {
    const pod = gyrePod(base);
    const { needed, timeout } = ending(load(kubernetesEnv));
    const [command, sleep] = pod.containers[0].lifecycle.preStop.exec.command;
    expect(command).toBe('sleep');
    expect(timeout).toBeGreaterThanOrEqual(needed);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(sleep) + timeout);
  });

  it('in the chart', () => {
    const { readyWait, drain, timeout } = values.shutdown;
    expect(timeout).toBeGreaterThanOrEqual(readyWait + drain + 5);
    const [, extra] = /GracePeriodSeconds: \{\{ add \$end\.preStop \$end\.timeout (\d+) \}\}/.exec(
      text('deploy/helm/gyre/templates/deployment.yaml'),
    )!;
    expect(Number(extra)).toBeGreaterThan(0);
  });
});

describe('nobody new is sent to a node that ends', () => {
  it('HAProxy has looked twice before the first handshake is refused', () => {
    const checks = [...text('deploy/haproxy/haproxy.cfg').matchAll(/ inter (\d+s) fall (\d+) /g)];
    expect(checks).toHaveLength(2);
    for (const [, inter, fall] of checks) {
      const { ready_wait: wait } = load(nodes[0]?.[1].environment ?? {}).shutdown;
      expect(wait / 1000).toBeGreaterThan(seconds(inter) * Number(fall));
    }
  });

  it.each([
    ['the kustomize base', base],
    ['the chart', chart],
  ])('Kubernetes has time to tell of it, in %s', (_, manifests) => {
    const [command, sleep] = gyrePod(manifests).containers[0].lifecycle.preStop.exec.command;
    expect(command).toBe('sleep');
    expect(sleep === 'templated' ? values.shutdown.preStop : Number(sleep)).toBeGreaterThan(0);
  });
});

describe('nothing has more rights than it needs', () => {
  it.each([
    ['the kustomize base', base],
    ['the chart', chart],
  ])('in %s', (_, manifests) => {
    const pod = gyrePod(manifests);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(pod.containers[0].securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('in docker-compose.yml, where every port is of this machine only', () => {
    for (const [, node] of nodes) expect(node).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    const published = Object.values(compose).flatMap(({ ports = [] }) => ports);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('in the image', () => {
    expect(text('deploy/docker/Dockerfile')).toMatch(/^USER 1000:1000$/m);
  });
});

it('the chart runs the pod that the kustomize base runs', () => {
  const same = ({ containers: [container], ...pod }: Pod) => ({
    securityContext: pod.securityContext,
    startup: container.startupProbe,
    live: container.livenessProbe,
    ready: container.readinessProbe,
    rights: container.securityContext,
    ports: container.ports,
    mounts: container.volumeMounts,
  });
  expect(same(gyrePod(chart))).toEqual(same(gyrePod(base)));
});

it('the schema of the chart knows every value, and no other', () => {
  const schema = JSON.parse(text('deploy/helm/gyre/values.schema.json')) as Schema;
  // A value whose keys are the user's own has no properties in the schema.
  const known = (node: Schema | undefined): unknown =>
    node?.properties ? mapValues(node.properties, known) : undefined;
  const given = (node: Schema | undefined, value: unknown): unknown =>
    node?.properties
      ? mapValues(value as Record<string, unknown>, (inner, key) => given(node.properties?.[key], inner))
      : undefined;
  const { global: _ofHelm, ...rest } = known(schema) as Record<string, unknown>;
  expect(given(schema, values)).toStrictEqual(rest);
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

function mapValues<T>(from: Readonly<Record<string, T>>, to: (value: T, key: string) => unknown) {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(value, key)]));
}

it('all that carries a version carries this one', () => {
  const { version: own, appVersion } = yamlFile<Record<string, string>>('deploy/helm/gyre/Chart.yaml');
  const { images } = yamlFile<{ images: unknown }>('deploy/kubernetes/base/kustomization.yaml');
  expect([own, appVersion]).toEqual([version, version]);
  expect(images).toEqual([{ name: 'gyre', newTag: version }]);
  expect(text('deploy/docker/Dockerfile')).toMatch(new RegExp(`^ARG VERSION=${version}$`, 'm'));
});

it('pnpm has one version', () => {
  const users = ['scripts/install.mjs', 'scripts/build.ts', 'deploy/docker/Dockerfile'];
  const named = users.flatMap((path) => text(path).match(/\bpnpm@[\d.]+/g) ?? []);
  expect(named).toHaveLength(4);
  expect(new Set(named).size).toBe(1);
});

it('wherever there are several nodes they share Redis', () => {
  const engines = [
    ...nodes.map(([, { environment }]) => environment?.['GYRE_ENGINE_TYPE']),
    kubernetesEnv['GYRE_ENGINE_TYPE'],
    gyrePod(chart).containers[0].env?.find(({ name }) => name === 'GYRE_ENGINE_TYPE')?.value,
  ];
  expect(engines).toEqual(Array(5).fill('redis'));
});

it('dashboards, alerts and autoscalers name metrics that exist', async () => {
  const server = await gyre.start({ config: { prometheus: { enabled: true } } });
  const page = await (await fetch(`${server.internalUrl}/metrics`)).text();
  const suffixes: Record<string, string[]> = {
    histogram: ['_bucket', '_sum', '_count'],
    summary: ['_sum', '_count'],
  };
  const types = [...page.matchAll(/^# TYPE (\S+) (\S+)/gm)];
  const served = new Set(
    types.flatMap(([, name, type = '']) => (suffixes[type] ?? ['']).map((suffix) => `${name}${suffix}`)),
  );
  const readers = files(
    'deploy/{grafana,prometheus,kubernetes/connections,helm/gyre/templates}/*.{json,yml,yaml}',
  );
  const named = readers.flatMap((path) => text(path).match(/\bgyre_[a-z0-9_]+/g) ?? []);
  expect(named.length).toBeGreaterThan(40);
  expect([...new Set(named)].filter((name) => !served.has(name))).toEqual([]);
});

it('every file that should be YAML or JSON is', () => {
  for (const path of files('deploy/**/*.{yml,yaml}').filter((name) => !name.includes('/templates/'))) {
    expect(() => parseYaml(text(path)), path).not.toThrow();
  }
  for (const path of files('deploy/**/*.json')) expect(() => JSON.parse(text(path)), path).not.toThrow();
});
