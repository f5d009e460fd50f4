import { create, mlflow, call, value } from '../../../code/code';

import { expanded } from '../../variables';
import { hostsOf, setIngress, setService, tlsSecretNames } from '../../parts/access';
import { setStoreOfUri, setVolume } from '../../parts/artifacts';
import { databaseOfUri, setMissingPostgres, setPostgres } from '../../parts/database';
import { addGarbageCollection, addMonitoring } from '../../parts/monitoring';
import { claim } from '../../parts/pod';
import { quantity, size } from '../../parts/quantities';
import type { Release } from '../../release';
import type { Rule } from '../../rule';
import type { Values } from '../../values';
import { isData } from '../../data';

const ONE_DATABASE =
  'Tracking and the model registry are in one database, the backend: move the tables of the registry there first.';

/** What the server is and what it connects to. */
export const SERVER_RULES: readonly Rule[] = [
  {
    keys: '{mlflow.{backendStoreUri,backendStoreUriFrom},externalSecrets.{enabled,template,secretName}}',
    convert: (values, release) => {
      setDatabase(values, release);
    },
  },
  {
    keys: 'externalSecrets.{apiVersion,provider,refreshInterval,data}',
    doInstead:
      'Make the login with `new ExternalSecret(this, id, { store, keys })`: keys `username` and `password`, from a SecretStore of your own. Give its `secretName` to the backend.',
  },
  { keys: 'mlflow.{registryStoreUri,registryStoreUriFrom}', doInstead: ONE_DATABASE },
  {
    keys: '{mlflow.{defaultArtifactRoot,artifactsDestination},storage.{enabled,size,accessMode,storageClassName,mountPath}}',
    convert: (values, release) => {
      setArtifacts(values, release);
    },
  },
  {
    keys: 'garbageCollection.{enabled,schedule,olderThan,resources}',
    convert: (values, release) => {
      if (values.flag('garbageCollection.enabled')) {
        addGarbageCollection(release, {
          keys: ['garbageCollection'],
          schedule: values.text('garbageCollection.schedule') ?? '0 2 * * 0',
          olderThan: values.text('garbageCollection.olderThan'),
          resourcesKey: 'garbageCollection.resources',
          resources: values.map('garbageCollection.resources'),
        });
      }
    },
  },
  {
    keys: 'garbageCollection.allWorkspaces',
    leaveOut: 'The collection goes through all workspaces of a server that has them.',
  },
  {
    keys: 'garbageCollection.{extraVolumes,extraVolumeMounts}',
    doInstead:
      'A CA comes with `trustedCa` of ClusterSettings; other volumes with cdk8s-plus, from `cronJob` of the construct.',
  },
  {
    keys: 'tls.{enabled,secretName}',
    convert: (values, release) => {
      if (values.flag('tls.enabled')) {
        const name = values.text('tls.secretName') ?? 'mlflow-tls';
        release.set('certificate', call(mlflow('TlsCertificate'), 'fromSecretName', value(name)));
      }
    },
  },
  {
    keys: '{service.{type,annotations},server.value_options.port}',
    convert: (values, release) => {
      setService(values, release, {
        typeKey: 'service.type',
        type: values.text('service.type') ?? 'ClusterIP',
        port: values.whole('server.value_options.port') ?? 5000,
        annotations: values.textMap('service.annotations'),
      });
    },
  },
  {
    keys: 'ingress.{enabled,className,annotations,hosts,tls}',
    convert: (values, release) => {
      if (values.flag('ingress.enabled')) {
        setIngress(release, {
          keys: ['ingress'],
          className: values.text('ingress.className'),
          annotations: values.textMap('ingress.annotations'),
          hosts: values.has('ingress.hosts')
            ? hostsOf(values, release, 'ingress.hosts')
            : [{ host: 'mlflow.local', paths: ['/'] }],
          tlsSecretNames: tlsSecretNames(values, release, 'ingress.tls'),
        });
      }
    },
  },
  {
    keys: 'networkPolicy.enabled',
    convert: (values, release) => {
      release.isIsolated = values.flag('networkPolicy.enabled');
    },
  },
  {
    keys: 'networkPolicy.additionalEgressRules',
    doInstead:
      '`isolation: { egress: [{ peers: [NetworkPeer.cidr(…)], ports: […] }] }`: what the database, the store and the login need is open already.',
  },
  {
    keys: 'metrics.enabled',
    convert: (values, release) => {
      release.set('metrics', values.flag('metrics.enabled') ? value(true) : undefined);
    },
  },
  { keys: 'metrics.path', leaveOut: 'MLflow has its metrics at /metrics.' },
  {
    keys: 'serviceMonitor.enabled',
    convert: (values, release) => {
      if (values.flag('serviceMonitor.enabled')) {
        addMonitoring(release, { keys: ['serviceMonitor'], labels: {} });
      }
    },
  },
  { keys: 'serviceMonitor.tlsConfig', doInstead: '`tls: { ca, serverName }` of PrometheusScrape.serviceMonitor().' },
];

function setDatabase(values: Values, release: Release): void {
  const from = values.map('mlflow.backendStoreUriFrom');
  const given = values.text('mlflow.backendStoreUri') ?? release.environment.takeText('MLFLOW_BACKEND_STORE_URI');
  const uri = given?.startsWith('$(') === true ? expanded(release, given) : given;
  const reference = isData(from.secretKeyRef)
    ? from.secretKeyRef
    : isData(from.configMapKeyRef)
      ? from.configMapKeyRef
      : undefined;
  const template = templateUri(values);
  if (template !== undefined) {
    values.text('externalSecrets.secretName');
    setPostgres(release, { ...template, keys: ['externalSecrets.template'], user: undefined, hasPassword: false });
    return;
  }
  if (reference !== undefined) {
    setMissingPostgres(
      release,
      ['mlflow.backendStoreUriFrom'],
      `The chart has the whole URI of the database in ${String(reference.name)}. The app has its host, port and name, and a Secret with the keys username and password.`,
    );
    return;
  }
  const database = uri === undefined ? undefined : databaseOfUri(uri);
  if (database === undefined) {
    const scheme = /^(\w+)/.exec(uri ?? '')?.[1];
    setMissingPostgres(
      release,
      ['mlflow.backendStoreUri'],
      scheme === undefined
        ? 'The values name no database.'
        : scheme === 'sqlite'
          ? 'The chart kept its data in SQLite. SqliteImport moves it into PostgreSQL (docs/moving-in.md).'
          : `The library runs MLflow on PostgreSQL only, not on ${scheme}. Move the data into one before: docs/moving-in.md says how.`,
    );
    return;
  }
  const user = release.environment.get(variableOf(database.user));
  const password = release.environment.get(variableOf(database.password));
  const isOneSecret = user?.secret !== undefined && user.secret.name === password?.secret?.name;
  if (password?.secret !== undefined && !isOneSecret) {
    release.note(
      'to do',
      user?.secret === undefined ? password.key : [user.key, password.key],
      `The password is in the Secret ${password.secret.name}; the app reads the user from a Secret, too: put both into one.`,
    );
  }
  for (const each of [user, password]) {
    release.environment.take(each?.name ?? '');
  }
  setPostgres(release, {
    ...database,
    host: expanded(release, database.host),
    database: database.database === undefined ? undefined : expanded(release, database.database),
    user: database.user === undefined ? undefined : (user?.text ?? (user === undefined ? database.user : undefined)),
    keys: ['mlflow.backendStoreUri'],
    hasPassword: database.password !== '',
    secret: isOneSecret
      ? { name: user.secret.name, usernameKey: user.secret.key, passwordKey: password.secret.key }
      : undefined,
    chartSecret: password?.secret && { secret: password.secret.name, passwordKey: password.secret.key },
  });
}

function variableOf(text = ''): string {
  return /^\$\((\w+)\)$/.exec(text)?.[1] ?? '';
}

/** The URI that the External Secrets Operator composes, if it is that of a PostgreSQL. */
function templateUri(values: Values): ReturnType<typeof databaseOfUri> {
  const data = values.flag('externalSecrets.enabled') ? values.map('externalSecrets.template').data : undefined;
  const texts = isData(data) ? Object.values(data).filter((each): each is string => typeof each === 'string') : [];
  const uris = texts.map((text) => databaseOfUri(text.replace(/\{\{[^}]*\}\}/g, 'x')));
  return uris.find((each) => each !== undefined);
}

function setArtifacts(values: Values, release: Release): void {
  const root =
    values.text('mlflow.defaultArtifactRoot') ?? release.environment.takeText('MLFLOW_DEFAULT_ARTIFACT_ROOT');
  const destination =
    values.text('mlflow.artifactsDestination') ?? release.environment.takeText('MLFLOW_ARTIFACTS_DESTINATION');
  release.arguments.take('--serve-artifacts');
  release.arguments.take('--no-serve-artifacts');
  const uri = destination ?? root ?? '';
  if (
    setStoreOfUri(
      release,
      ['mlflow.artifactsDestination', 'mlflow.defaultArtifactRoot'],
      uri,
      destination !== undefined,
    )
  ) {
    if (values.flag('storage.enabled')) {
      ['size', 'accessMode', 'storageClassName', 'mountPath'].forEach((key) => values.any(`storage.${key}`));
      release.note(
        'left out',
        'storage',
        'With PostgreSQL and an object store, the server keeps nothing on a volume. The claim of the chart remains yours.',
      );
    }
    return;
  }
  if (!values.flag('storage.enabled')) {
    release.set('artifactRoot', create(mlflow('VolumeArtifacts')));
    release.note(
      'changed',
      'storage.enabled',
      'The app keeps artifacts on a claim of 10 GiB. The chart lost them with the pod.',
    );
    return;
  }
  const mountPath = (values.text('storage.mountPath') ?? '/mlflow').replace(/\/+$/, '');
  const path = uri.replace(/^file:(\/\/)?/, '');
  const folder = path.startsWith(`${mountPath}/`) ? path.slice(mountPath.length + 1).replace(/\/+$/, '') : undefined;
  const bytes = quantity(values.text('storage.size') ?? '10Gi');
  if (bytes === undefined) {
    values.problem('storage.size', 'a quantity such as 10Gi', values.text('storage.size'));
    return;
  }
  const options = {
    size: size(Math.ceil(bytes / 2 ** 30) * 2 ** 30),
    storageClassName: values.text('storage.storageClassName'),
  };
  const accessModes = [values.text('storage.accessMode') ?? 'ReadWriteOnce'];
  const persistence = claim(
    release.names.takesOver === true ? { existing: release.names.server, accessModes } : { ...options, accessModes },
  );
  release.artifactClaim = release.names.takesOver === true ? release.names.server : undefined;
  setVolume(release, persistence, folder);
}
