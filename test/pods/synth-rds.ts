// A database at RDS for the tests.
import { type Chart, Duration } from 'cdk8s';
import { AwsIdentity, FileSource, type IPostgresBackend, PostgresTls, RdsPostgres } from 'cdk8s-mlflow';

/** What a test can ask for: an endpoint, where the role is `mlflow`. */
export interface RdsCase {
  readonly host: string;
  readonly failoverHosts?: string[];
  readonly readHost?: string;
  /** Of hosts that do not name it. */
  readonly region?: string;
  /** By a role, by nothing that the library knows of, or by the access key in the Secret `aws`. */
  readonly identity: 'role' | 'ambient' | 'key';
  readonly renewal: number;
}

export function rds(chart: Chart, { identity, renewal, ...place }: RdsCase): IPostgresBackend {
  const identities = {
    role: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow'),
    ambient: AwsIdentity.ambient(),
    key: AwsIdentity.fromSecretName('aws'),
  };
  return new RdsPostgres(chart, 'postgres', {
    ...place,
    user: 'mlflow',
    identity: identities[identity],
    tokenRenewal: Duration.seconds(renewal),
    tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('postgres-ca', 'ca.crt') }),
  });
}
