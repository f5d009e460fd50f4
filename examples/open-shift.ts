import { Chart } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  ClusterSettings,
  FileSource,
  HttpProxy,
  ImageRegistry,
  LogFormat,
  MlflowServer,
  PgBouncer,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A cluster that assigns users to pods, without a way to the internet but a proxy, and with a mirror of all images. */
export class OpenShift extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    ClusterSettings.of(this).apply({
      ...ClusterSettings.openShift(),
      imageRegistry: ImageRegistry.mirror('registry.example.com/mirror'),
      // A ConfigMap with the label config.openshift.io/inject-trusted-cabundle: "true" gets the cluster's CAs.
      trustedCa: FileSource.fromConfigMap('trusted-ca', 'ca-bundle.crt'),
      httpProxy: HttpProxy.at('http://proxy.example.com:3128'),
      podLabels: { 'example.com/cost-center': 'ml' },
      logFormat: LogFormat.JSON,
    });

    const postgres = new BitnamiPostgres(this, 'postgres', {
      passwords: BitnamiPasswords.fromSecretName('postgres-passwords'),
      isolation: {},
    });
    new MlflowServer(this, 'mlflow', {
      backend: new PgBouncer(this, 'pgbouncer', { backend: postgres, isolation: {} }),
      isolation: {},
    });
  }
}
