import { ApiObject, Testing } from 'cdk8s';
import { EnvValue, PersistentVolumeAccessMode, ServiceAccount, ServiceType } from 'cdk8s-plus-28';
import {
  DatabaseConnectionCheck,
  DatabaseMigration,
  JobExecution,
  LogLevel,
  type MlflowServerProps,
  Persistence,
  ReadinessCheck,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import {
  chart,
  container,
  env,
  type Manifest,
  only,
  podOf,
  scriptsOf,
  server,
  serverManifests,
} from '../support/synth';

const shared = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});

test('makes exactly what a server needs, under its own name', () => {
  expect(serverManifests().map((m) => `${m.kind}/${m.metadata.name}`)).toEqual([
    'PersistentVolumeClaim/mlflow-artifacts',
    expect.stringMatching(/^ConfigMap\/chart-scripts-[0-9a-f]{8}$/),
    expect.stringMatching(/^ConfigMap\/chart-postgres-service-[0-9a-f]{8}$/),
    'ServiceAccount/mlflow',
    'Deployment/mlflow',
    'Service/mlflow',
  ]);
});

test('every object carries the recommended labels, and no selector a version', () => {
  const manifests = serverManifests();
  for (const { metadata } of manifests) {
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/name': 'mlflow',
      'app.kubernetes.io/instance': expect.stringMatching(/^(mlflow|chart)$/),
    });
  }
  const selector = {
    'app.kubernetes.io/name': 'mlflow',
    'app.kubernetes.io/instance': 'mlflow',
    'app.kubernetes.io/component': 'server',
  };
  expect(only(manifests, 'Deployment').spec.selector.matchLabels).toEqual(selector);
  expect(only(manifests, 'Service').spec.selector).toEqual(selector);
});

test('one image for the server and for all that prepares it', () => {
  const pod = podOf(
    serverManifests({
      image: `registry.example.com/mlflow@sha256:${'0123'.repeat(16)}`,
      imagePullSecrets: ['registry'],
    }),
  );
  const images = [...pod.initContainers, ...pod.containers].map((c: Manifest) => c.image);
  expect(images).toEqual(Array(2).fill(`registry.example.com/mlflow@sha256:${'0123'.repeat(16)}`));
  expect(pod.imagePullSecrets).toEqual([{ name: 'registry' }]);
});

test('the pod keeps to the restricted Pod Security Standard and mounts no token', () => {
  const pod = podOf(serverManifests());
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, fsGroup: 1001 },
  });
  for (const c of [...pod.initContainers, ...pod.containers]) {
    expect(c.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsGroup: 1001,
      runAsNonRoot: true,
      runAsUser: 1001,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(c.resources).toMatchObject({
      limits: { cpu: expect.any(String) },
      requests: { memory: expect.any(String) },
    });
    expect(c.volumeMounts).toContainEqual({ mountPath: '/tmp', name: 'tmp' });
  }
});

test('the server proxies artifacts onto its volume by default', () => {
  const mlflow = container(serverManifests(), 'mlflow');
  expect(mlflow.command).toEqual(['python', '/opt/mlflow/scripts/run_mlflow.py']);
  expect(mlflow.args).toEqual([
    'server',
    '--host=0.0.0.0',
    '--port=5000',
    '--workers=2',
    '--serve-artifacts',
    '--artifacts-destination=/mlflow/artifacts',
    '--uvicorn-opts=--log-level=info --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json',
  ]);
  expect(env(mlflow)).toMatchObject({
    MLFLOW_DEFAULT_ARTIFACT_ROOT: 'mlflow-artifacts:/',
    MLFLOW_DISABLE_TELEMETRY: 'true',
    DO_NOT_TRACK: 'true',
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
    HOME: '/tmp',
  });
});

test('settings reach the server', () => {
  const mlflow = container(
    serverManifests({
      workers: 3,
      staticPrefix: '/tracking',
      logLevel: LogLevel.DEBUG,
      jobExecution: JobExecution.local(),
      telemetry: true,
      extraArgs: ['--secrets-cache-ttl=60'],
      extraEnvVars: { MLFLOW_SERVER_X_FRAME_OPTIONS: EnvValue.fromValue('DENY') },
    }),
    'mlflow',
  );
  expect(mlflow.args).toEqual(
    expect.arrayContaining([
      '--workers=3',
      '--static-prefix=/tracking',
      '--uvicorn-opts=--log-level=debug --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json',
      '--secrets-cache-ttl=60',
    ]),
  );
  expect(env(mlflow)).toMatchObject({
    MLFLOW_SERVER_X_FRAME_OPTIONS: 'DENY',
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'true',
    MLFLOW_LOGGING_LEVEL: 'DEBUG',
  });
  expect(env(mlflow)).not.toHaveProperty('MLFLOW_DISABLE_TELEMETRY');
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    expect(mlflow[probe].httpGet.path).toBe('/tracking/health');
  }
});

test('extra variables stay where they were asked for', () => {
  const manifests = serverManifests({
    extraEnvVars: { SERVER: EnvValue.fromValue('1') },
    extraInitEnvVars: { INIT: EnvValue.fromValue('1') },
  });
  const has = (name: string) => ['SERVER', 'INIT'].filter((variable) => variable in env(container(manifests, name)));
  expect([has('mlflow'), has('init-mlflow')]).toEqual([['SERVER'], ['INIT']]);
});

test('the startup probe asks each second', () => {
  const { startupProbe } = container(serverManifests(), 'mlflow');
  expect(startupProbe).toMatchObject({ periodSeconds: 1, httpGet: { path: '/health', port: 5000 } });
  expect(startupProbe).not.toHaveProperty('initialDelaySeconds');
});

test('readiness asks the database only when told to, liveness never', () => {
  const { readinessProbe, livenessProbe } = container(
    serverManifests({ readinessCheck: ReadinessCheck.DATABASE, staticPrefix: '/x' }),
    'mlflow',
  );
  expect(readinessProbe.httpGet.path).toBe('/x/api/2.0/mlflow/experiments/get?experiment_id=0');
  expect(livenessProbe.httpGet.path).toBe('/x/health');
});

describe('before the server', () => {
  const names = (props: Partial<MlflowServerProps>) =>
    (podOf(serverManifests(props)).initContainers ?? []).map((c: Manifest) => c.name);

  test('one container checks the connection and migrates', () => {
    expect(names({})).toEqual(['init-mlflow']);
    expect(env(container(serverManifests(), 'init-mlflow'))).toMatchObject({
      DATABASE_WAIT_SECONDS: '120',
      MIGRATION_DEADLINE_SECONDS: '600',
      PGAPPNAME: 'init-mlflow',
    });
  });

  test('each can be left out', () => {
    const unchecked = { databaseConnectionCheck: DatabaseConnectionCheck.off() };
    expect(names(unchecked)).toEqual(['init-mlflow']);
    expect(env(container(serverManifests(unchecked), 'init-mlflow'))).not.toHaveProperty('DATABASE_WAIT_SECONDS');
    expect(names({ databaseMigration: DatabaseMigration.off() })).toEqual(['wait-for-database']);
  });

  test('a Job migrates, and the pods wait for it', () => {
    const manifests = serverManifests({ databaseMigration: DatabaseMigration.job() });
    const job = only(manifests, 'Job');
    const script = '/opt/mlflow/scripts/migrate_database.py';
    expect(job.metadata.name).toMatch(/^mlflow-migration-[0-9a-f]{8}$/);
    const { initContainers, containers } = job.spec.template.spec;
    expect(initContainers.map((each: { name: string }) => each.name)).toEqual(['wait-for-database']);
    expect(containers[0].command).toEqual(['python', script]);
    expect(container(manifests, 'init-mlflow').command).toEqual(['python', script, '--wait']);
    // A database that starts with the Job may take longer than its tries.
    expect(job.spec.template.spec.initContainers.map((c: Manifest) => c.name)).toEqual(['wait-for-database']);
    expect(job.spec.template.metadata.labels['app.kubernetes.io/component']).toBe('migration');
  });

  test('without a check, the Job does not wait either', () => {
    const off = { databaseMigration: DatabaseMigration.job(), databaseConnectionCheck: DatabaseConnectionCheck.off() };
    expect(only(serverManifests(off), 'Job').spec.template.spec.initContainers).toBeUndefined();
  });

  test('the Job is named by what it runs', () => {
    const name = (props: Partial<MlflowServerProps>) =>
      only(serverManifests({ databaseMigration: DatabaseMigration.job(), ...props }), 'Job').metadata.name;
    expect(name({})).toBe(name({ workers: 4 }));
    expect(name({})).not.toBe(name({ image: 'mlflow:next' }));
    expect(name({})).not.toBe(name({ extraInitEnvVars: { A: EnvValue.fromValue('1') } }));
  });
});

describe('artifacts and replicas', () => {
  const strategy = (artifactRoot?: VolumeArtifacts, replicas?: number) =>
    only(serverManifests({ artifactRoot, replicas }), 'Deployment').spec.strategy;
  const rolling = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };

  test('a volume of one node is never claimed by two pods at once', () => {
    expect(strategy()).toEqual({ type: 'Recreate' });
  });

  test('shared volumes and none roll without a gap', () => {
    expect(strategy(shared, 3)).toEqual(rolling);
    expect(strategy(new VolumeArtifacts({ persistence: Persistence.none() }))).toEqual(rolling);
  });

  test('0 replicas are allowed', () => {
    expect(only(serverManifests({ replicas: 0 }), 'Deployment').spec.replicas).toBe(0);
  });
});

test('the Service is the caller’s', () => {
  const service = only(
    serverManifests({
      service: {
        serviceType: ServiceType.LOAD_BALANCER,
        port: 80,
        nodePort: 30500,
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        annotations: { a: 'b' },
      },
    }),
    'Service',
  );
  expect(service.metadata.annotations).toEqual({ a: 'b' });
  expect(service.spec).toMatchObject({
    type: 'LoadBalancer',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    ports: [{ name: 'http', port: 80, targetPort: 5000, nodePort: 30500 }],
  });
});

test('the ingress leads to the Service', () => {
  const ingress = only(
    serverManifests({
      staticPrefix: '/tracking',
      ingress: {
        hosts: ['a.example.com', 'b.example.com'],
        className: 'nginx',
        annotations: { a: 'b' },
        tlsSecretName: 'tls',
      },
    }),
    'Ingress',
  );
  expect(ingress.metadata).toMatchObject({ name: 'mlflow', annotations: { a: 'b' } });
  expect(ingress.spec).toMatchObject({
    ingressClassName: 'nginx',
    tls: [{ hosts: ['a.example.com', 'b.example.com'], secretName: 'tls' }],
  });
  expect(
    ingress.spec.rules.map((r: Manifest) => [r.host, r.http.paths[0].path, r.http.paths[0].backend.service]),
  ).toEqual([
    ['a.example.com', '/tracking', { name: 'mlflow', port: { number: 5000 } }],
    ['b.example.com', '/tracking', { name: 'mlflow', port: { number: 5000 } }],
  ]);
});

test('an identity of one’s own replaces that of the server', () => {
  const scope = chart();
  const serviceAccount = ServiceAccount.fromServiceAccountName(scope, 'identity', 'workload');
  server(scope, { serviceAccount });
  const manifests = Testing.synth(scope);
  expect(manifests.filter((m) => m.kind === 'ServiceAccount')).toEqual([]);
  expect(podOf(manifests).serviceAccountName).toBe('workload');
});

test('pods are spread by their own labels where no selector is given', () => {
  const constraint = { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' };
  const manifests = serverManifests({ topologySpreadConstraints: [constraint], priorityClassName: 'high' });
  expect(podOf(manifests)).toMatchObject({
    priorityClassName: 'high',
    topologySpreadConstraints: [{ ...constraint, labelSelector: only(manifests, 'Deployment').spec.selector }],
  });
});

test('cdk8s-plus goes on from the deployment', () => {
  const scope = chart();
  const { deployment } = server(scope);
  deployment.podMetadata.addLabel('team', 'ml');
  deployment.addContainer({ name: 'sidecar', image: 'proxy' });
  const manifests = Testing.synth(scope);
  expect(only(manifests, 'Deployment').spec.template.metadata.labels).toMatchObject({ team: 'ml' });
  expect(podOf(manifests).containers.map((c: Manifest) => c.name)).toEqual(['mlflow', 'sidecar']);
  expect(ApiObject.of(deployment).name).toBe('mlflow');
});

test('the scripts are the files of the library, in a ConfigMap that cannot change', () => {
  const configMap = scriptsOf(serverManifests());
  expect(configMap.immutable).toBe(true);
  expect(Object.keys(configMap.data)).toEqual(expect.arrayContaining(['migrate_database.py', 'wait_for_database.py']));
});
