import { Chart } from 'cdk8s';
import {
  DefaultPermission,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowExperiment,
  MlflowObjects,
  MlflowPermission,
  MlflowRegisteredModel,
  MlflowServer,
  MlflowServiceUser,
  MlflowUser,
  MlflowWebhook,
  PermissionLevel,
  PermissionTarget,
  SecretKey,
  WebhookEvent,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const key = (name: string): SecretKey => SecretKey.fromSecretName('mlflow-auth', name);

/** A server with an experiment, a model, a user, a login for a pipeline and a webhook: all declared beside it, and made by one Job. */
export class DeclaredObjects extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      auth: MlflowAuth.basic({
        adminPassword: key('admin-password'),
        flaskSecretKey: key('flask-key'),
        defaultPermission: DefaultPermission.READ,
      }),
      encryption: { passphrase: key('passphrase'), webhookKey: key('webhook-key') },
      isolation: {},
    });

    const objects = new MlflowObjects(this, 'mlflow-objects', { server });
    const churn = new MlflowExperiment(this, 'churn', { objects, tags: { team: 'retention' } });
    const model = new MlflowRegisteredModel(this, 'churn-model', { objects, description: 'Who leaves next month?' });
    const ada = new MlflowUser(this, 'ada', { objects, password: key('ada-password') });
    // The Job makes its password, and the Secret `pipeline-login`.
    const pipeline = new MlflowServiceUser(this, 'pipeline', { objects });

    const grant = (username: string, target: PermissionTarget, level: PermissionLevel): void => {
      new MlflowPermission(this, `${username}-${level.toLowerCase()}`, { objects, username, target, level });
    };
    grant(ada.username, PermissionTarget.experiment(churn.experimentName), PermissionLevel.EDIT);
    grant(pipeline.username, PermissionTarget.registeredModel(model.modelName), PermissionLevel.MANAGE);

    const events = [WebhookEvent.MODEL_VERSION_ALIAS_CREATED];
    const secret = key('ci-secret');
    new MlflowWebhook(this, 'ci', { objects, url: 'https://ci.example.com/mlflow', events, secret });
  }
}
