import { ApiObject, App, Chart, JsonPatch, Size } from 'cdk8s';
import {
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  ClusterSettings,
  MlflowAuth,
  MlflowServer,
  Persistence,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';
import { EnvValue, Secret, ServiceAccount, k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-postgresql-passwords --namespace mlflow \
 *     --from-literal=postgres-password='<the postgres-password of the database>' \
 *     --from-literal=password='<the password of the database>'
 *   kubectl create secret generic mlflow-tracking-login --namespace mlflow \
 *     --from-literal=admin-password='<the password of the administrator, 12 characters or more>' \
 *     --from-literal=flask-key='<any long random text>' \
 *     --from-literal=passphrase='<any random text of 32 characters or more>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const companySecret = Secret.fromSecretName(this, 'company-secret', 'company');
    const postgres = new BitnamiPostgres(this, 'mlflow-postgresql', {
      passwords: BitnamiPasswords.fromSecretName('mlflow-postgresql-passwords'),
      username: 'bn_mlflow',
      database: 'bitnami_mlflow',
      persistence: Persistence.newClaim({ size: Size.gibibytes(8) }),
      initScripts: { 'create-auth-database.sql': 'CREATE DATABASE "bitnami_mlflow_auth";\n' },
      maxConnections: 200,
    });
    // global.imageRegistry: `ClusterSettings.of(this).apply({ imageRegistry:
    // ImageRegistry.mirror('registry.example.com') })` takes all images from a mirror.
    // commonLabels: The pods have them. `super(scope, id, { labels })` of the chart puts them on
    // all other objects.
    // commonAnnotations: The Deployment has them: add them to other objects that need them.
    // postgresql: Bitnami's free images get no more fixes since 2025: plan a move to an operator or
    // a managed database with DatabaseMove (docs/moving-in.md).
    // minio: The library makes no object store in the cluster. Keep the MinIO of the release (its
    // Deployment and its claim, under Helm or by itself): the app uses it at its address. Another
    // bucket is a matter of ArtifactRelocation. Its access key is in the Secret mlflow-minio.
    // global.compatibility.openshift.adaptSecurityContext: On OpenShift:
    // `ClusterSettings.of(this).apply(…)` with PodUser.assignedByCluster() (docs/clusters.md).
    // run.enabled, run.useJob, run.source: The library runs the tracking server. A Job or a
    // Deployment of cdk8s-plus runs your project, with `trackingUri` of the server.
    // tracking.service.clusterIP: A JSON patch of `server.service` sets it.
    // tracking.terminationGracePeriodSeconds, tracking.lifecycleHooks: cdk8s-plus has it, or a JSON
    // patch: go on from `server.deployment`.
    const server = new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      imagePullSecrets: ['registry'],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
      ],
      replicas: 2,
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        endpoint: 'http://mlflow-minio',
        identity: AwsIdentity.fromSecretName('mlflow-minio', {
          accessKeyIdKey: 'root-user',
          secretAccessKeyKey: 'root-password',
        }),
      }),
      encryption: { passphrase: SecretKey.fromSecretName('mlflow-tracking-login', 'passphrase') },
      auth: MlflowAuth.basic({
        adminUsername: 'user',
        adminPassword: SecretKey.fromSecretName('mlflow-tracking-login', 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName('mlflow-tracking-login', 'flask-key'),
        database: 'bitnami_mlflow_auth',
      }),
      service: { port: 80 },
      workers: 2,
      extraArgs: ['--uvicorn-opts', '--limit-concurrency=100'],
      extraEnvVars: {
        TEAM: EnvValue.fromValue('ml'),
        TOKEN: EnvValue.fromSecretValue({ secret: companySecret, key: 'token' }),
      },
      serviceAccount: new ServiceAccount(this, 'service-account', {
        metadata: { name: 'tracking-account', annotations: { team: 'ml' } },
      }),
    });
    ClusterSettings.of(server).apply({ podLabels: { team: 'ml' }, podAnnotations: { team: 'ml' } });
    ApiObject.of(server.deployment).addJsonPatch(
      JsonPatch.add('/spec/template/spec/containers/0/envFrom', [{ secretRef: { name: 'more' } }]),
      JsonPatch.add('/spec/template/spec/containers/-', {
        name: 'helper',
        image: 'busybox:1',
        resources: { limits: { memory: k8s.Quantity.fromString('32Mi') } },
      }),
      JsonPatch.add('/spec/template/spec/initContainers/0', { name: 'first', image: 'busybox:1' }),
      JsonPatch.add('/spec/template/spec/schedulerName', 'fast'),
      JsonPatch.add('/spec/template/spec/hostAliases', [{ ip: '10.0.0.1', hostnames: ['db'] }]),
    );
    server.deployment.metadata.addAnnotation('owner', 'mlflow');
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
