import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { changeMark } from '../../kube/values/digest';
import { fromSecretKey, text } from '../../kube/values/env-values';
import { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { DEFAULT_DATABASE, DEFAULT_MAX_CONNECTIONS } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

import { BitnamiArchitecture } from './bitnami-architecture';
import { passwordSecret } from './bitnami-passwords';
import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { checkBitnami } from './check-bitnami';
import { DatabaseServer } from './database-server';
import { planServers, SUPERUSER } from './server-plan';

/**
 * PostgreSQL in the cluster, as Bitnami's chart lays it out, from constructs alone.
 *
 * Good for trials, tests and small teams. For production, a managed database or an operator does what this does not:
 * failover, point-in-time recovery, upgrades between major versions.
 */
export class BitnamiPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** The primary. */
  public readonly statefulSet: kplus.StatefulSet;

  /** The Service of the primary. */
  public readonly service: kplus.Service;

  /** The Service of the read replicas, where there are any. */
  public readonly readService?: kplus.Service;

  /** The Secret with the passwords. */
  public readonly secret: kplus.ISecret;

  /** The claims of all servers, for monitoring: none with `Persistence.none()`. */
  public readonly volumeClaims: kplus.IPersistentVolumeClaim[];

  public constructor(scope: Construct, id: string, props: BitnamiPostgresProps) {
    super(...checkConstruct('BitnamiPostgres', scope, id, props));
    const {
      username = SUPERUSER,
      database = DEFAULT_DATABASE,
      architecture = BitnamiArchitecture.standalone(),
    } = props;
    const problems = new Problems(this);
    checkBitnami(problems, id, props);
    problems.throwIfAny();

    this.secret = passwordSecret(this, props.passwords);
    const plan = planServers(this, this.secret, { ...props, username, database, architecture });
    const primary = new DatabaseServer(this, 'primary', props, plan.primary);
    this.statefulSet = primary.statefulSet;
    this.service = primary.service;
    const read = plan.read && new DatabaseServer(this, 'read', props, plan.read);
    this.readService = read?.service;
    this.volumeClaims = [...primary.claimNames, ...(read?.claimNames ?? [])].map((name) =>
      kplus.PersistentVolumeClaim.fromClaimName(this, `claim-${name}`, name),
    );

    const literal = props.passwords._literals?.[plan.loginRole];
    this.connection = new PostgresConnection({
      host: text(this.service.name),
      port: text(this.service.port),
      database: text(database),
      credentials: new PostgresCredentials({
        username: text(username),
        password: fromSecretKey(this.secret.name, props.passwords._keys[plan.loginRole]),
        revision: literal === undefined ? undefined : changeMark(this.node.path, literal),
      }),
      tls: props.tls ?? PostgresTls.PREFER,
      readHost: this.readService && text(this.readService.name),
      maxConnections: props.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      clientLabels: plan.clientLabels,
      route: plan.route,
      readRoute: plan.readRoute,
    });
  }
}
