import { Size } from 'cdk8s';
import { ContainerRestartPolicy, Cpu, PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import {
  Autoscaling,
  KedaTrigger,
  MlflowServer,
  Persistence,
  PostgresTls,
  RdsPostgres,
  type ResourceScalingOptions,
  Rules,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart } from '../support/synth';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});
const MEMORY_ALONE = { memory: { request: Size.mebibytes(64) } };

const textFor = (usage: string, names: string): string =>
  `autoscaler-needs-requests: \`autoscaling\` by ${usage} needs \`resources.${usage}.request\` of each container, sidecars too, and ${names} none: the autoscaler could not compute the usage of the pod in percent, and would not scale it. Set it where the container comes from.`;

function serverWith(
  resources: RdsPostgresResources,
  scaling: Partial<ResourceScalingOptions> | Autoscaling = {},
): MlflowServer {
  const scope = chart();
  const backend = new RdsPostgres(scope, 'postgres', {
    host: 'db',
    region: 'eu-central-1',
    user: 'mlflow',
    tls: PostgresTls.REQUIRE,
    resources,
  });
  const autoscaling =
    scaling instanceof Autoscaling ? scaling : Autoscaling.byResources({ maxReplicas: 2, ...scaling });
  return new MlflowServer(scope, 'mlflow', { backend, artifactRoot, autoscaling });
}

type RdsPostgresResources = ConstructorParameters<typeof RdsPostgres>[2]['resources'];

test('the defaults have requests', () => {
  expect(serverWith(undefined, { memoryPercent: 90 }).node.validate()).toEqual([]);
});

test('sidecars are containers of the pod', () => {
  expect(serverWith(MEMORY_ALONE).node.validate()).toEqual([textFor('cpu', '"rds-token" has')]);
  expect(serverWith({ cpu: { limit: Cpu.millis(100) } }, { memoryPercent: 90 }).node.validate()).toEqual([
    textFor('memory', '"rds-token" has'),
  ]);
});

test('KEDA compares the same usage', () => {
  const scaling = (...triggers: KedaTrigger[]): Autoscaling => Autoscaling.keda({ maxReplicas: 2, triggers });
  const prometheus = KedaTrigger.prometheus({ prometheusAddress: 'http://p:9090', query: 'q', threshold: 1 });
  expect(serverWith(MEMORY_ALONE, scaling(prometheus, KedaTrigger.cpu(80))).node.validate()).toEqual([
    textFor('cpu', '"rds-token" has'),
  ]);
  expect(serverWith(MEMORY_ALONE, scaling(prometheus)).node.validate()).toEqual([]);
});

test('containers that are added later count, but not those that end before the server starts', () => {
  const server = serverWith(MEMORY_ALONE);
  const security = { ensureNonRoot: false };
  server.deployment.addContainer({ name: 'added', image: 'image:1', resources: {}, securityContext: security });
  server.deployment.addInitContainer({ name: 'once', image: 'image:1', resources: {}, securityContext: security });
  server.deployment.addInitContainer({
    name: 'beside',
    image: 'image:1',
    resources: {},
    securityContext: security,
    restartPolicy: ContainerRestartPolicy.ALWAYS,
  });
  expect(server.node.validate()).toEqual([textFor('cpu', '"rds-token" and "beside" and "added" have')]);
  Rules.of(server).acknowledge('autoscaler-needs-requests', 'A LimitRange gives them defaults.');
  expect(server.node.validate()).toEqual([]);
});
