import { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { text } from '../../kube/values/env-values';
import { checkId, checkObjectName } from '../../validation/checks';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection, type PostgresConnectionProps } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { checkSchema } from '../connection/schema';

import { checkDatabaseAndOwner } from './check-cloud-native';
import type { CloudNativeDatabaseOptions } from './cloud-native-postgres-props';
import { databaseResource } from './cloud-native-resources';

/** A further database of a cluster, which `CloudNativePostgres.addDatabase()` makes. */
export class CloudNativeDatabase extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;
  public readonly database: string;
  public readonly owner: string;

  public constructor(
    cluster: Construct,
    id: string,
    options: CloudNativeDatabaseOptions,
    primary: PostgresConnectionProps,
    others: readonly { readonly name: string; readonly owner: string }[],
  ) {
    super(cluster, id);
    const { schema, secretName, database = id, owner = database } = options;
    this.database = database;
    this.owner = owner;
    const problems = problemsOf(this);
    checkId(problems, id);
    checkDatabaseAndOwner(problems, { database, owner });
    if (others.some(({ name }) => name === database)) {
      problems.add('database', 'must be another than the databases that the cluster has', database);
    }
    if (others.some((each) => each.owner === owner)) {
      problems.add('owner', 'must be another than the owners of the databases that the cluster has', owner);
    }
    checkObjectName(problems, 'secretName', secretName);
    checkSchema(problems, schema);
    problems.throwIfAny();

    databaseResource(this, cluster.node.id, { database, owner, schema });
    this.connection = new PostgresConnection({
      ...primary,
      database: text(database),
      schema,
      credentials: PostgresCredentials.fromSecretName(secretName),
    });
  }
}
