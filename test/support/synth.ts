import { Chart, Testing } from 'cdk8s';
import type { Construct } from 'constructs';
import { ExistingSecretPostgres, MlflowServer, type MlflowServerProps } from 'cdk8s-mlflow';

/** A manifest, as loosely typed as YAML is. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Manifest = any;

/** An empty chart. */
export function chart(namespace?: string): Chart {
  return new Chart(Testing.app(), 'chart', { namespace });
}

/** A backend that makes no objects of its own. */
export function anyBackend(scope: Construct): ExistingSecretPostgres {
  return new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'db-login' });
}

/** A server on any backend. */
export function server(scope: Construct, props: Partial<MlflowServerProps> = {}, id = 'mlflow'): MlflowServer {
  return new MlflowServer(scope, id, { ...props, backend: props.backend ?? anyBackend(scope) });
}

/** What a server synthesizes, object by object. */
export function serverManifests(props: Partial<MlflowServerProps> = {}, namespace?: string): Manifest[] {
  const scope = chart(namespace);
  server(scope, props);
  return Testing.synth(scope);
}

/** The only object of this kind, or the one of this name. */
export function only(manifests: Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((m) => m.kind === kind && (name === undefined || m.metadata.name === name));
  expect(found.map((m) => `${kind}/${m.metadata.name}`)).toHaveLength(1);
  return found[0];
}

/** The ConfigMap of the scripts. */
export function scriptsOf(manifests: Manifest[]): Manifest {
  return only(
    manifests.filter((m) => m.metadata.name.includes('-scripts-')),
    'ConfigMap',
  );
}

/** The pod of the server. */
export function podOf(manifests: Manifest[]): Manifest {
  return only(manifests, 'Deployment').spec.template.spec;
}

/** A container of the server's pod. */
export function container(manifests: Manifest[], name: string): Manifest {
  const pod = podOf(manifests);
  return containerOf(pod, name);
}

/** A container of a pod, init containers included. */
export function containerOf(pod: Manifest, name: string): Manifest {
  const found = [...pod.containers, ...(pod.initContainers ?? [])].find((c: Manifest) => c.name === name);
  expect(found).toBeDefined();
  return found;
}

/** The environment of a container by name: the value, or where it comes from. */
export function env(of: Manifest): Record<string, Manifest> {
  return Object.fromEntries(of.env.map((e: Manifest) => [e.name, e.value ?? e.valueFrom]));
}
