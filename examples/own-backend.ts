import { Chart } from 'cdk8s';
import {
  type IPostgresBackend,
  MlflowServer,
  PostgresConnection,
  PostgresCredentials,
  PostgresTls,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

/** A backend of your own: the cluster of an operator, by the names that the operator publishes. */
class ZalandoPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: { readonly cluster: string; readonly role: string }) {
    super(scope, id);
    const secret = `${props.role}.${props.cluster}.credentials.postgresql.acid.zalan.do`;
    this.connection = new PostgresConnection({
      host: EnvValue.fromValue(props.cluster),
      port: EnvValue.fromValue('5432'),
      database: EnvValue.fromValue('mlflow'),
      credentials: PostgresCredentials.fromSecretName(secret),
      tls: PostgresTls.REQUIRE,
    });
  }
}

/** Whatever yields a connection is a backend. */
export class OwnBackend extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ZalandoPostgres(this, 'postgres', { cluster: 'acid-mlflow', role: 'mlflow' });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
