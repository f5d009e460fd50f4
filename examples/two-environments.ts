import { Chart } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  ExistingSecretPostgres,
  FileSource,
  type IPostgresBackend,
  MlflowServer,
  Persistence,
  PostgresTls,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** One way to run MLflow, for every environment. Only the backend differs. */
abstract class Mlflow extends Chart {
  public constructor(scope: Construct, id: string, namespace: string) {
    super(scope, id, { namespace });
    new MlflowServer(this, 'mlflow', { backend: this.backend() });
  }

  protected abstract backend(): IPostgresBackend;
}

/** A database for a day's work, gone with its pod. */
export class MlflowInDevelopment extends Mlflow {
  protected override backend(): IPostgresBackend {
    return new BitnamiPostgres(this, 'postgres', {
      passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'only-for-development' }),
      persistence: Persistence.none(),
    });
  }
}

/** A managed database, whose certificate is checked. */
export class MlflowInProduction extends Mlflow {
  protected override backend(): IPostgresBackend {
    return new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com',
      secretName: 'postgres-database-secret',
      tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'global-bundle.pem') }),
    });
  }
}
