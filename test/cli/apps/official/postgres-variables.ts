import { App, Chart } from 'cdk8s';
import {
  ArtifactAccess,
  ExistingSecretPostgres,
  GcsArtifacts,
  GoogleIdentity,
  MlflowServer,
} from 'cdk8s-mlflow';
import { ConfigMap, EnvFieldPaths, EnvValue } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const companyConfig = ConfigMap.fromConfigMapName(this, 'company-config', 'company');
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'db.example.com',
      secretName: 'db-login',
      usernameKey: 'user',
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new GcsArtifacts({
        bucket: 'team-models',
        prefix: 'prod',
        identity: GoogleIdentity.fromServiceAccount('mlflow@project.iam.gserviceaccount.com'),
        access: ArtifactAccess.DIRECT,
      }),
      extraEnvVars: {
        POD_IP: EnvValue.fromFieldRef(EnvFieldPaths.POD_IP),
        TEAM: EnvValue.fromConfigMap(companyConfig, 'team'),
      },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
