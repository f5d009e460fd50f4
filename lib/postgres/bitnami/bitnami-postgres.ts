import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkId, checkObjectName, checkPort } from '../../kube/checks';
import { changeMark } from '../../kube/digest';
import { fromSecretKey, text } from '../../kube/env-values';
import { labelsOf } from '../../kube/labels';
import { Persistence } from '../../kube/persistence';
import { Problems } from '../../kube/problems';
import { checkDatabase } from '../endpoint';
import { checkMaxConnections } from '../external-endpoint';
import type { IPostgresBackend } from '../postgres-backend';
import { PostgresConnection } from '../postgres-connection';
import { PostgresCredentials } from '../postgres-credentials';
import { PostgresTls } from '../postgres-tls';

import { BitnamiArchitecture } from './bitnami-architecture';
import type { BitnamiRole } from './bitnami-passwords';
import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { POSTGRES_PORT } from './database-container';
import { DatabaseServer, type DatabaseServerProps } from './database-server';

const SUPERUSER = 'postgres';
const REPLICATION_USER = 'repl_user';

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

  private readonly login: { readonly username: string; readonly role: BitnamiRole };
  private readonly architecture: BitnamiArchitecture;
  private readonly database: string;

  public constructor(scope: Construct, id: string, props: BitnamiPostgresProps) {
    super(scope, id);
    this.architecture = props.architecture ?? BitnamiArchitecture.standalone();
    this.database = props.database ?? 'mlflow';
    const username = props.username ?? SUPERUSER;
    this.login = { username, role: username === SUPERUSER ? 'postgresPassword' : 'password' };
    this.check(props);

    this.secret = this.passwordSecret(props);
    const shared = this.sharedByServers(props);
    const primary = new DatabaseServer(this, 'primary', props, this.primary(shared, props));
    this.statefulSet = primary.statefulSet;
    this.service = primary.service;
    if (this.architecture.readReplicas > 0) {
      this.readService = new DatabaseServer(this, 'read', props, this.readReplicas(shared, props)).service;
    }
    this.connection = this.connectionTo(props);
  }

  private check(props: BitnamiPostgresProps): void {
    const problems = new Problems(this);
    checkId(problems, this.node.id);
    checkDatabase(problems, this.database);
    if (this.login.username === '') {
      problems.add('username', 'must not be empty', '', 'Leave it out to log in as the superuser.');
    }
    props.passwords._check(problems, this.roles());
    this.architecture._check(problems);
    props.persistence?._check(problems, 'persistence');
    if (this.architecture.readReplicas > 0 && props.persistence?._kind === 'existing') {
      problems.say('`persistence` must not be an existing claim with read replicas: each server needs a volume of its own.', 'Use Persistence.newClaim().');
    }
    checkPort(problems, 'servicePort', props.servicePort);
    checkMaxConnections(problems, props.maxConnections);
    if (props.settings?.max_connections !== undefined) {
      problems.add('settings', 'must not name max_connections', props.settings.max_connections, 'Use `maxConnections`, which the rules know.');
    }
    for (const file of Object.keys(props.initScripts ?? {}).filter((name) => !/^[-._a-zA-Z0-9]+\.sql$/.test(name))) {
      problems.add('initScripts', 'must have file names that end in .sql', file, 'The image runs nothing else as SQL.');
    }
    (props.imagePullSecrets ?? []).forEach((name) => {
      checkObjectName(problems, 'imagePullSecrets', name);
    });
    problems.throwIfAny();
  }

  /** The logins that this server has. */
  private roles(): BitnamiRole[] {
    const roles = new Set<BitnamiRole>([this.login.role]);
    if (this.architecture._replicates) {
      roles.add('replicationPassword');
    }
    return [...roles];
  }

  private passwordSecret(props: BitnamiPostgresProps): kplus.ISecret {
    const { _literals: literals, _secretName: name, _keys: keys } = props.passwords;
    if (literals === undefined) {
      return kplus.Secret.fromSecretName(this, 'secret', name ?? '');
    }
    const entries = Object.entries(literals).map(([role, password]) => [keys[role as BitnamiRole], password as string]);
    return new kplus.Secret(this, 'secret', {
      metadata: { name: this.node.id, labels: labelsOf('postgresql', this.node.id, 'primary').all },
      stringData: Object.fromEntries(entries) as Record<string, string>,
    });
  }

  private sharedByServers(props: BitnamiPostgresProps): Omit<DatabaseServerProps, 'name' | 'component' | 'replicas' | 'env' | 'clients'> {
    const keys = props.passwords._keys;
    const serviceAccount = new kplus.ServiceAccount(this, 'service-account', {
      metadata: { name: this.node.id, labels: labelsOf('postgresql', this.node.id, 'primary').all },
      automountToken: false,
    });
    const superuserToo = this.login.role === 'password' && props.passwords._literals?.postgresPassword !== undefined;
    return {
      instance: this.node.id,
      serviceAccount,
      passwordSecret: this.secret,
      persistence: props.persistence ?? Persistence.newClaim(),
      passwords: {
        POSTGRES_PASSWORD: keys[this.login.role],
        ...(superuserToo && { POSTGRES_POSTGRES_PASSWORD: keys.postgresPassword }),
        ...(this.architecture._replicates && { POSTGRES_REPLICATION_PASSWORD: keys.replicationPassword }),
      },
    };
  }

  private primary(shared: ReturnType<BitnamiPostgres['sharedByServers']>, props: BitnamiPostgresProps): DatabaseServerProps {
    const { id } = this.node;
    return {
      ...shared,
      name: id,
      component: 'primary',
      replicas: 1,
      clients: [this.clientLabels(), ...(this.architecture._replicates ? [labelsOf('postgresql', id, 'read').selector] : [])],
      initScripts: props.initScripts,
      env: {
        POSTGRES_USER: this.login.username,
        POSTGRES_DATABASE: this.database,
        ...(this.architecture._replicates && { POSTGRES_REPLICATION_MODE: 'master', POSTGRES_REPLICATION_USER: REPLICATION_USER }),
      },
    };
  }

  private readReplicas(shared: ReturnType<BitnamiPostgres['sharedByServers']>, props: BitnamiPostgresProps): DatabaseServerProps {
    return {
      ...shared,
      name: `${this.node.id}-read`,
      component: 'read',
      replicas: this.architecture.readReplicas,
      clients: [this.clientLabels()],
      env: {
        POSTGRES_USER: this.login.username,
        POSTGRES_REPLICATION_MODE: 'slave',
        POSTGRES_REPLICATION_USER: REPLICATION_USER,
        POSTGRES_MASTER_HOST: this.service.name,
        POSTGRES_MASTER_PORT_NUMBER: String(props.servicePort ?? POSTGRES_PORT),
      },
    };
  }

  private clientLabels(): Record<string, string> {
    return { [`${this.node.id}-client`]: 'true' };
  }

  private connectionTo(props: BitnamiPostgresProps): PostgresConnection {
    const { username, role } = this.login;
    const literal = props.passwords._literals?.[role];
    return new PostgresConnection({
      host: text(this.service.name),
      port: text(this.service.port),
      database: text(this.database),
      credentials: new PostgresCredentials({
        username: text(username),
        password: fromSecretKey(this.secret.name, props.passwords._keys[role]),
        revision: literal === undefined ? undefined : changeMark(this.node.path, literal),
      }),
      tls: props.tls ?? PostgresTls.PREFER,
      maxConnections: props.maxConnections ?? 100,
      clientLabels: this.clientLabels(),
    });
  }
}
