import { files, parseYaml, text } from './files.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

/** The part of a container that is looked at. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly securityContext: unknown;
  readonly volumeMounts: unknown;
}

/** The part of a pod that is looked at. */
export interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly enableServiceLinks: boolean;
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: unknown;
  readonly containers: readonly [Container];
}

/** A manifest; what `spec` holds is up to its kind. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly template?: { readonly spec: Pod };
    readonly [field: string]: unknown;
  };
  readonly stringData?: Readonly<Record<string, string>>;
}

/** The manifests of the kustomize base. */
export function baseManifests(): Manifest[] {
  return files('deploy/kubernetes/base/*.yaml')
    .filter((path) => !path.endsWith('kustomization.yaml'))
    .flatMap((path) => parseYaml<Manifest>(text(path)));
}

/**
 * A template of the chart as YAML, without Helm: actions on lines of their own are left out, as if each condition held,
 * and those within a line become the word `templated`.
 */
export function chartManifests(name: string): Manifest[] {
  const source = text(`deploy/helm/gyre/templates/${name}`)
    .replaceAll(/^[ \t]*\{\{.*\}\}[ \t]*\n/gm, '')
    .replaceAll(/(['"]?)\{\{[^{}]*\}\}\1/g, 'templated');
  return parseYaml<Manifest | null>(source).filter((manifest) => manifest !== null);
}

/** The pod of the only Deployment named `gyre` or by the chart. */
export function gyrePod(manifests: readonly Manifest[]): Pod {
  const pod = manifests.find(({ kind }) => kind === 'Deployment')?.spec.template?.spec;
  if (pod === undefined) throw new Error('there is no Deployment');
  return pod;
}
