import { Chart, Duration } from 'cdk8s';
import { ExistingSecretPostgres, FileSource, IngressController, MlflowServer, TlsCertificate } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Two ways in from outside: a Gateway for what is new, an Ingress for who is not there yet. HTTPS up to the pod. */
export class Gateway extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      certificate: TlsCertificate.fromSecretName('mlflow-tls'),
      httpRoute: {
        gateways: [{ name: 'public', gatewayNamespace: 'gateways' }],
        hosts: ['mlflow.example.com'],
        requestTimeout: Duration.hours(1),
        // The certificate is for the name of the Service, and cert-manager stores the CA that signed it in its Secret.
        backendTls: { ca: FileSource.fromSecret('mlflow-tls', 'ca.crt') },
      },
      ingress: {
        hosts: ['mlflow-old.example.com'],
        className: 'nginx',
        tlsSecretName: 'mlflow-old-tls',
        // Models are larger than the 1 MiB that nginx lets through by itself.
        controller: IngressController.ingressNginx({ timeout: Duration.hours(1) }),
      },
    });
  }
}
