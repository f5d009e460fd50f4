import { Construct } from 'constructs';

import { checkId } from '../../validation/checks';
import { problemsOf } from '../../kube/construct';
import { checkConstruct } from '../../validation/arguments';

import { checkEndpoint, endpointConnection, type ExternalEndpointProps } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import type { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';

/** Props of {@link ExternalPostgres}. */
export interface ExternalPostgresProps extends ExternalEndpointProps {
  /** The PostgreSQL role to log in as. */
  readonly user: string;

  /**
   * Password of `user`, with any characters. The manifest holds it in a Secret: keep the manifest out of version control,
   * or use {@link ExistingSecretPostgres}.
   */
  readonly password: string;
}

/** A PostgreSQL database that exists, with a login in plain text, which goes into a Secret named by the construct's id. */
export class ExternalPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: ExternalPostgresProps) {
    super(...checkConstruct('ExternalPostgres', scope, id, props));
    const problems = problemsOf(this);
    checkId(problems, id);
    checkEndpoint(problems, props);
    problems.throwIfAny();

    const credentials = PostgresCredentials.fromLiterals(this, { username: props.user, password: props.password });
    this.connection = endpointConnection(props, { credentials });
  }
}
