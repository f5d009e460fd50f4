import { Construct } from 'constructs';

import { checkId } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { Problems } from '../../validation/problems';

import { checkExternal, externalConnection, type ExternalEndpointProps } from '../connection/external-endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import type { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';

/** Props of {@link ExternalPostgres}. */
export interface ExternalPostgresProps extends ExternalEndpointProps {
  /** The PostgreSQL role to log in as. */
  readonly user: string;

  /**
   * Its password: any characters. It is written into the Secret of the manifest, so keep that out of version control,
   * or use {@link ExistingSecretPostgres}.
   */
  readonly password: string;
}

/** A PostgreSQL database that exists, with a login in plain text. Makes a Secret of it, named by the construct's id. */
export class ExternalPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ExternalPostgresProps) {
    super(...checkConstruct('ExternalPostgres', scope, id, props));
    const problems = new Problems(this);
    checkId(problems, id);
    checkExternal(problems, props);
    problems.throwIfAny();

    const credentials = PostgresCredentials.fromLiterals(this, { username: props.user, password: props.password });
    this.connection = externalConnection(props, credentials);
  }
}
