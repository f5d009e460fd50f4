import { call, construct, mlflow, struct, textMap, value } from '../../code/code';

import type { Release } from '../release';
import { shortened } from '../chart';
import type { Values } from '../values';

import { bitnamiPasswords, noteMigration } from './database';
import { claim } from './pod';
import { quantity, resourcesOf, size } from './quantities';

/**
 * Sets the backend: Bitnami's PostgreSQL in the cluster, as the sub-chart below `at` had it. `standardId` is its name, by which
 * the claims of its StatefulSet are found again, unless the values say another.
 */
export function setBitnamiPostgres(
  values: Values,
  release: Release,
  at: string,
  standardId: string,
  initScripts: Readonly<Record<string, string>> = {},
): void {
  const key = (name: string): string => `${at}.${name}`;
  const id = values.name(key('fullnameOverride')) ?? nameWith(values.name(key('nameOverride')), standardId, release);
  const existing = values.text(key('auth.existingSecret')) ?? values.text('global.postgresql.auth.existingSecret');
  const username =
    values.text(key('auth.username')) ?? values.text('global.postgresql.auth.username') ?? release.databaseUser;
  const hasUser = username !== undefined && username !== 'postgres';
  const isReplicated = values.text(key('architecture')) === 'replication';
  const database =
    values.text(key('auth.database')) ?? values.text('global.postgresql.auth.database') ?? release.databaseName;
  const secretKeys = {
    postgresPasswordKey: textUnless(values.text(key('auth.secretKeys.adminPasswordKey')), 'postgres-password'),
    passwordKey: textUnless(values.text(key('auth.secretKeys.userPasswordKey')), 'password'),
    replicationPasswordKey: textUnless(
      values.text(key('auth.secretKeys.replicationPasswordKey')),
      'replication-password',
    ),
  };
  const needed = [
    'postgres-password',
    ...(hasUser ? ['password'] : []),
    ...(isReplicated ? ['replication-password'] : []),
  ];
  // Helm's Secret goes with the release, and Bitnami's chart keeps it there under the name of the StatefulSet.
  const secretName =
    existing ??
    release.need({
      name: `${id}-passwords`,
      keys: needed.map((each) => ({
        key: each,
        value: `the ${each} of the database`,
        from: { secret: id, key: each },
      })),
    });
  const readReplicas = values.whole(key('readReplicas.replicaCount'));
  const port =
    values.whole(key('primary.service.ports.postgresql')) ?? values.whole('global.postgresql.service.ports.postgresql');
  const resources = values.map(key('primary.resources'));
  // The claims of a StatefulSet have its name: data-<name>-0. With replicas, the chart's primary has a name of its own.
  const [primary, replicas] = ['primary', 'readReplicas'].map((each) => values.name(key(`${each}.name`)));
  const name = isReplicated ? shortened(`${id}-${primary ?? 'primary'}`) : id;
  const claimName = values.text(key('primary.persistence.existingClaim')) ?? `data-${name}-0`;
  release.database = {
    name,
    claimName,
    oldNames: isReplicated ? [name, shortened(`${id}-${replicas ?? 'read'}`)] : [name],
  };
  release.setBackend(
    construct(
      mlflow('BitnamiPostgres'),
      name,
      struct(mlflow('BitnamiPostgresProps'), {
        passwords: bitnamiPasswords(secretName, existing === undefined ? {} : secretKeys),
        username: hasUser ? value(username) : undefined,
        database: database === undefined || database === 'mlflow' ? undefined : value(database),
        architecture: isReplicated
          ? call(
              mlflow('BitnamiArchitecture'),
              'replication',
              ...(readReplicas === undefined || readReplicas === 1
                ? []
                : [struct(mlflow('ReplicationOptions'), { readReplicas: value(readReplicas) })]),
            )
          : undefined,
        persistence: persistenceOf(values, release, at),
        servicePort: port === undefined || port === 5432 ? undefined : value(port),
        initScripts: Object.keys(initScripts).length === 0 ? undefined : textMap(initScripts),
        resources: resourcesOf(release, key('primary.resources'), resources),
      }),
    ),
  );
  noteMigration(release, [at]);
  release.note(
    'to do',
    [at],
    "Bitnami's free images get no more fixes since 2025: plan a move to an operator or a managed database with DatabaseMove (docs/moving-in.md).",
  );
}

/** The name that the chart makes of `nameOverride`. */
function nameWith(name: string | undefined, standardId: string, { names }: Release): string {
  if (name === undefined) {
    return standardId;
  }
  return names.release.includes(name) ? names.release : shortened(`${names.release}-${name}`);
}

function persistenceOf(values: Values, release: Release, at: string): ReturnType<typeof claim> | undefined {
  const key = (name: string): string => `${at}.primary.persistence.${name}`;
  if (!values.flag(key('enabled'), true)) {
    release.note(
      'changed',
      key('enabled'),
      'Without it, the data were lost with the pod. The app keeps them on a claim: `persistence: Persistence.none()` for trials.',
    );
  }
  const bytes = quantity(values.text(key('size')) ?? '8Gi');
  const existing = values.text(key('existingClaim'));
  const storageClassName =
    values.text(key('storageClass')) ?? values.text('global.defaultStorageClass') ?? values.text('global.storageClass');
  if (bytes === undefined) {
    values.problem(key('size'), 'a quantity such as 8Gi', values.text(key('size')));
    return undefined;
  }
  return claim({
    existing,
    // A claim has whole GiB; Bitnami's default is 8.
    size: existing === undefined ? size(Math.ceil(bytes / 2 ** 30) * 2 ** 30) : undefined,
    storageClassName,
    accessModes: values.texts(key('accessModes')),
  });
}

function textUnless(text: string | undefined, standard: string): ReturnType<typeof value> | undefined {
  return text === undefined || text === standard ? undefined : value(text);
}
