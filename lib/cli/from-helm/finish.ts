import { type Code, type Field, mlflow, struct, value } from '../code/code';

import { connectionsOfPod, safeThreads } from '../../postgres/capacity/connection-math';
import { memoryOf } from '../../rules/memory-fits-processes';
import { finishEnvironment } from './variables';
import { secretKey, setBasicAuth, setCustomApp } from './parts/login';
import { finishMonitoring } from './parts/monitoring';
import { finishServiceAccount } from './parts/pod';
import { size } from './parts/quantities';
import type { Release } from './release';
import { finishOptions } from './server-options';

const DEFAULT_WORKERS = 2;

/** Sets what depends on several parts of a release, once all of its rules have been applied. */
export function finish(release: Release): void {
  setLogin(release);
  finishMonitoring(release);
  finishOptions(release);
  finishEnvironment(release);
  finishServiceAccount(release);
  fitMemory(release);
  fitReplicas(release);
  fitConnections(release);
  isolate(release);
}

/** A login that only an option of the server names, with the variables that go with it. */
function setLogin(release: Release): void {
  const app = release.arguments.take('--app-name');
  if (app === undefined || release.login !== undefined) {
    return;
  }
  const { environment } = release;
  const flask = environment.take('MLFLOW_FLASK_SERVER_SECRET_KEY');
  const password = environment.take('MLFLOW_AUTH_ADMIN_PASSWORD');
  const configuration = environment.take('MLFLOW_AUTH_CONFIG_PATH');
  if (configuration !== undefined) {
    release.note(
      'to do',
      configuration.key,
      'The app writes the ini file of the login: its default permission and the name of its database are options of MlflowAuth.basic().',
    );
  }
  const login = {
    keys: ['--app-name'],
    adminUsername: environment.takeText('MLFLOW_AUTH_ADMIN_USERNAME'),
    adminPassword: password?.secret && secretKey(password.secret.name, password.secret.key),
    flaskKey: flask?.secret && secretKey(flask.secret.name, flask.secret.key),
  };
  if (app === 'basic-auth') {
    setBasicAuth(release, login);
  } else {
    setCustomApp(release, app, login.keys);
  }
}

/** Connections that PostgreSQL has for clients, by default. */
const DEFAULT_CONNECTIONS = 97;
const RESERVED_CONNECTIONS = 3;
/** Those of PoolingProfile.STANDARD. */
const DEFAULT_POOL = { poolSize: 10, maxOverflow: 1 };

/** More connections than PostgreSQL has are an error of the synthesis, where it is part of the app. */
function fitConnections(release: Release): void {
  if (release.backendClass !== 'BitnamiPostgres') {
    return;
  }
  const workers = numberOf(release.propOf('workers')) ?? DEFAULT_WORKERS;
  const pooling = release.propOf('pooling');
  const given = pooling?.kind === 'new' ? pooling.args[0] : undefined;
  const pool =
    given === undefined
      ? DEFAULT_POOL
      : { poolSize: numberOf(fieldOf(given, 'poolSize')), maxOverflow: numberOf(fieldOf(given, 'maxOverflow')) };
  const hasUsers = release.login !== undefined && release.login !== 'proxy';
  const pods = isOnVolume(release) ? release.pods : release.pods + 1;
  const needed = pods * connectionsOfPod(pool, workers, safeThreads(pool), hasUsers ? 1 : 0);
  if (needed > DEFAULT_CONNECTIONS) {
    const most = Math.ceil((needed + RESERVED_CONNECTIONS) / 50) * 50;
    release.addToBackend('maxConnections', value(most));
    release.note(
      'changed',
      release.replicasKey,
      `PostgreSQL takes up to ${String(most)} connections, so that those of all pods fit, also while one is replaced.`,
    );
  }
}

function isOnVolume(release: Release): boolean {
  const store = release.propOf('artifactRoot');
  return store === undefined || (store.kind === 'new' && store.name.name === 'VolumeArtifacts');
}

/** A NetworkPolicy has to know who forwards requests from outside. */
function isolate(release: Release): void {
  const ingress = release.propOf('ingress');
  const className = fieldOf(ingress, 'className');
  const isKnown = className?.kind === 'value' && ['nginx', 'traefik'].includes(String(className.value));
  const isInside =
    fieldOf(release.propOf('service'), 'serviceType') === undefined && release.propOf('httpRoute') === undefined;
  if (!release.isIsolated) {
    return;
  }
  if (isInside && (ingress === undefined || isKnown)) {
    release.set('isolation', struct(mlflow('ServerIsolationOptions'), {}));
    release.note(
      'changed',
      'networkPolicy',
      'Pods of the own namespace and the ingress controller may connect, and the server to its database, its store and its login only: `isolation: { clients, egress }` adds others.',
    );
  } else {
    release.note(
      'to do',
      'networkPolicy',
      'Set `isolation: { clients, ingressControllers }`: who may connect from outside cannot be read from the values.',
    );
  }
}

/** A memory limit that MLflow's processes do not fit is an error of the synthesis. */
function fitMemory(release: Release): void {
  const workers = numberOf(release.propOf('workers')) ?? DEFAULT_WORKERS;
  const resources = release.propOf('resources');
  const memory = fieldOf(resources, 'memory');
  const limit = mebibytesOf(fieldOf(memory, 'limit'));
  if (limit === undefined || limit >= memoryOf({ workers, jobs: 0 })) {
    return;
  }
  if (limit >= memoryOf({ workers: 1, jobs: 0 })) {
    const most = Math.floor(
      (limit - memoryOf({ workers: 0, jobs: 0 })) /
        (memoryOf({ workers: 1, jobs: 0 }) - memoryOf({ workers: 0, jobs: 0 })),
    );
    release.set('workers', value(most), `As many as the memory limit has room for.`);
    release.note(
      'changed',
      'resources',
      `${String(workers)} workers do not fit the memory limit of ${String(limit)} MiB: the app has ${String(most)}.`,
    );
    return;
  }
  const needed = memoryOf({ workers: 1, jobs: 0 });
  release.set('workers', value(1));
  release.set(
    'resources',
    replaced(resources, 'memory', replaced(memory, 'limit', size(needed * 2 ** 20))),
    'The chart had a lower memory limit, at which the kernel ends MLflow.',
  );
  release.note(
    'changed',
    'resources',
    `A memory limit of ${String(limit)} MiB is too low for MLflow: ${String(needed)} MiB is what one worker needs.`,
  );
}

/** Artifacts that only one node can access allow one pod. */
function fitReplicas(release: Release): void {
  const store = release.propOf('artifactRoot');
  if (release.pods <= 1 || !isOnVolume(release) || JSON.stringify(store ?? {}).includes('READ_WRITE_MANY')) {
    return;
  }
  release.unset('autoscaling');
  release.unset('replicas');
  release.note(
    'to do',
    release.replicasKey,
    `${String(release.pods)} pods need artifacts that all of them can access: an object store, or a volume with READ_WRITE_MANY. The app has one pod. The chart lost artifacts here, or rendered nothing.`,
  );
  release.pods = 1;
}

function numberOf(code: Code | undefined): number | undefined {
  return code?.kind === 'value' && typeof code.value === 'number' ? code.value : undefined;
}

function fieldOf(code: Code | undefined, name: string): Code | undefined {
  return code?.kind === 'struct' ? code.fields.find((field) => field.name === name)?.value : undefined;
}

function replaced(code: Code | undefined, name: string, by: Code): Code {
  const old: readonly Field[] = code?.kind === 'struct' ? code.fields : [];
  const fields = old.map((field) => (field.name === name ? { ...field, value: by } : field));
  return { ...(code as Code & { kind: 'struct' }), fields };
}

/** The number of MiB of `Size.mebibytes(n)` or `Size.gibibytes(n)`. */
function mebibytesOf(code: Code | undefined): number | undefined {
  if (code?.kind !== 'call') {
    return undefined;
  }
  const amount = numberOf(code.args[0]);
  return amount === undefined ? undefined : amount * (code.method === 'gibibytes' ? 1024 : 1);
}
