import { ApiObject, App, Chart, JsonPatch, Size } from 'cdk8s';
import {
  ClusterSettings,
  ExistingSecretPostgres,
  LogLevel,
  MlflowServer,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { Cpu, EnvValue, ImagePullPolicy, Secret, ServiceAccount, k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-tracking-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 *   kubectl create secret generic mlflow-tracking-environment --namespace mlflow \
 *     --from-literal=COMPANY_API_TOKEN='<the COMPANY_API_TOKEN of your values>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const mlflowTrackingEnvironmentSecret = Secret.fromSecretName(
      this,
      'mlflow-tracking-environment-secret',
      'mlflow-tracking-environment',
    );
    // The chart kept its data in memory, where each restart lost it. Put the host of a PostgreSQL
    // here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-tracking-database',
    });
    // resources.limits: No prop for nvidia.com/gpu: add it with a JSON patch of server.deployment.
    // extraDeploy: Objects of your own: write them as constructs, or with `new Include(this, id, {
    // url })` of cdk8s from a file.
    const server = new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      image: 'ghcr.io/mlflow/mlflow:v3.17.2-full',
      imagePullPolicy: ImagePullPolicy.ALWAYS,
      imagePullSecrets: ['registry'],
      priorityClassName: 'high',
      // The chart had a lower memory limit, at which the kernel ends MLflow.
      resources: {
        cpu: { request: Cpu.millis(250) },
        memory: { request: Size.mebibytes(256), limit: Size.mebibytes(550) },
      },
      logLevel: LogLevel.DEBUG,
      telemetry: true,
      artifactRoot: new VolumeArtifacts(),
      service: { port: 80 },
      extraEnvVars: {
        TEAM: EnvValue.fromValue('ml'),
        COMPANY_API_TOKEN: EnvValue.fromSecretValue({
          secret: mlflowTrackingEnvironmentSecret,
          key: 'COMPANY_API_TOKEN',
        }),
      },
      serviceAccount: ServiceAccount.fromServiceAccountName(this, 'service-account', 'shared'),
      workers: 1,
    });
    ClusterSettings.of(server).apply({
      podLabels: { team: 'ml' },
      podAnnotations: { 'prometheus.io/scrape': 'true' },
      nodeSelector: { pool: 'services' },
      tolerations: [
        { key: 'dedicated', operator: 'Equal', value: 'services', effect: 'NoSchedule' },
      ],
    });
    ApiObject.of(server.deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/containers/0/envFrom', [
        { secretRef: { name: 'more-variables' } },
      ]),
      JsonPatch.add('/spec/template/spec/affinity', {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {
                matchExpressions: [
                  { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] },
                ],
              },
            ],
          },
        },
      }),
      JsonPatch.add('/spec/template/spec/containers/-', {
        name: 'sidecar',
        image: 'busybox:1.36',
        ports: [{ name: 'web', containerPort: 8080 }],
        resources: {
          requests: {
            cpu: k8s.Quantity.fromString('10m'),
            memory: k8s.Quantity.fromString('16Mi'),
          },
        },
        livenessProbe: { httpGet: { path: '/', port: k8s.IntOrString.fromString('web') } },
      }),
      JsonPatch.add('/spec/template/spec/initContainers/0', {
        name: 'greet',
        image: 'busybox:1.36',
        command: ['echo', 'hello'],
      }),
      JsonPatch.add('/spec/revisionHistoryLimit', 3),
    );
    server.deployment.metadata.addAnnotation('team', 'ml');
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
