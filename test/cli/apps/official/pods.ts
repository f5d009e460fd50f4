import { ApiObject, App, Chart, JsonPatch, Size } from 'cdk8s';
import {
  ClusterSettings,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresTls,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { Cpu, ImagePullPolicy, k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // replicaCount: 3 pods need artifacts that all of them can access: an object store, or a volume
    // with READ_WRITE_MANY. The app has one pod. The chart lost artifacts here, or rendered
    // nothing.
    // namespace_rbac.extraRules: MLflow needs no access to the API server: add a Role of cdk8s-plus
    // where code of yours in the image does.
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      image: 'ghcr.io/mlflow/mlflow:v3.17.2-full',
      imagePullPolicy: ImagePullPolicy.ALWAYS,
      imagePullSecrets: ['registry'],
      // The chart had a lower memory limit, at which the kernel ends MLflow.
      resources: {
        cpu: { request: Cpu.millis(250), limit: Cpu.millis(500) },
        memory: { request: Size.mebibytes(256), limit: Size.mebibytes(550) },
      },
      artifactRoot: new VolumeArtifacts(),
      workers: 1,
    });
    ClusterSettings.of(server).apply({
      podLabels: { team: 'ml' },
      podAnnotations: { team: 'ml' },
      nodeSelector: { pool: 'services' },
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    });
    ApiObject.of(server.deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/containers/0/envFrom', [
        { secretRef: { name: 'more' } },
        { configMapRef: { name: 'settings' } },
      ]),
      JsonPatch.add('/spec/template/spec/affinity', {
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] },
      }),
      JsonPatch.add('/spec/template/spec/volumes/-', {
        name: 'shared',
        nfs: { server: '10.0.0.9', path: '/models' },
      }),
      JsonPatch.add('/spec/template/spec/containers/0/volumeMounts/-', {
        name: 'shared',
        mountPath: '/models',
      }),
      JsonPatch.add('/spec/template/spec/containers/-', {
        name: 'proxy',
        image: 'envoy:1',
        ports: [{ containerPort: 9901 }],
        readinessProbe: { tcpSocket: { port: k8s.IntOrString.fromNumber(9901) } },
      }),
    );
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
