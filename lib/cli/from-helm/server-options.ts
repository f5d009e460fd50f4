import { call, cdk8s, type Code, create, mlflow, struct, texts, value } from '../code/code';

import { SERVER_OPTIONS, UVICORN_DECISIONS, UVICORN_OPTIONS } from '../../server/server-options';
import type { Release } from './release';

/** Reads arguments in a list, `--name=value`, `--name value` in one or in two. */
export function readArgumentList(release: Release, key: string, list: readonly string[]): void {
  let open: string | undefined;
  for (const word of list) {
    // A value may start with a dash, too, such as that of --gunicorn-opts; one of two words or more is none of an option.
    const [, name, text] = /^(-\w|--[^\s=]+)(?:[=\s]+(.*)|)$/s.exec(word) ?? [];
    if (name !== undefined && (open === undefined || text === undefined || name.startsWith('--'))) {
      const long = SHORT_OPTIONS[name] ?? name;
      release.arguments.add(long, key, text);
      open = text === undefined ? long : undefined;
    } else if (open !== undefined) {
      release.arguments.add(open, key, word);
      open = undefined;
    } else {
      release.note('to do', key, `${word} is no option of \`mlflow server\`, and not the value of one.`);
    }
  }
}

/** Reads flags without dashes; some write a value behind one. */
export function readFlags(release: Release, key: string, names: readonly string[]): void {
  names.forEach((name) => {
    readArgumentList(release, key, [name.startsWith('-') ? name : `--${name}`]);
  });
}

/** Options of `mlflow server` with one letter. */
const SHORT_OPTIONS: Readonly<Record<string, string>> = { '-h': '--host', '-p': '--port', '-w': '--workers' };

/** Sets the props of options that the library knows, and `extraArgs` of the others. */
export function finishOptions(release: Release): void {
  const { arguments: options, environment } = release;
  setWorkers(release);
  setPooling(release);
  const prefix = options.take('--static-prefix')?.replace(/\/+$/, '');
  release.set(
    'staticPrefix',
    prefix === undefined || prefix === '' ? undefined : value(prefix.startsWith('/') ? prefix : `/${prefix}`),
  );
  setList(
    release,
    'allowedHosts',
    options.take('--allowed-hosts') ?? environment.takeText('MLFLOW_SERVER_ALLOWED_HOSTS'),
  );
  setList(
    release,
    'corsAllowedOrigins',
    options.take('--cors-allowed-origins') ?? environment.takeText('MLFLOW_SERVER_CORS_ALLOWED_ORIGINS'),
  );
  if (options.take('--enable-workspaces') !== undefined) {
    release.set('workspaces', value(true));
  }
  if (
    options.take('--expose-prometheus') !== undefined ||
    environment.takeText('MLFLOW_EXPOSE_PROMETHEUS') !== undefined
  ) {
    release.set('metrics', value(true));
  }
  const extra: string[] = [];
  for (const [name, { key, value: text }] of options.rest()) {
    const decision = SERVER_OPTIONS[name];
    if (text === '') {
      release.note('no effect', `${key} ${name}`, 'It is empty.');
    } else if (name === UVICORN_OPTIONS && text !== undefined) {
      const kept = uvicornOptions(release, `${key} ${name}`, text);
      extra.push(...(kept === '' ? [] : [`${name}=${kept}`]));
    } else if (decision !== undefined) {
      release.note('changed', `${key} ${name}`, `${decision.reason}. ${decision.wayOut ?? ''}`.trim());
    } else {
      extra.push(text === undefined ? name : `${name}=${text}`);
    }
  }
  release.set('extraArgs', extra.length === 0 ? undefined : texts(extra));
}

/** The options of uvicorn without those that the library sets, with values after `=`. */
function uvicornOptions(release: Release, key: string, text: string): string {
  const options = text.trim().split(/\s+(?=-)/);
  const kept = options.filter((option) => {
    const [name = ''] = option.split(/[\s=]/);
    const decision = UVICORN_DECISIONS[name];
    if (decision !== undefined) {
      release.note('changed', `${key} ${option}`, `${decision.reason}. ${decision.wayOut ?? ''}`.trim());
    }
    return decision === undefined;
  });
  return kept.map((option) => option.replace(/\s+/, '=')).join(' ');
}

function setWorkers(release: Release): void {
  const given = release.arguments.take('--workers') ?? release.environment.takeText('MLFLOW_WORKERS');
  if (given !== undefined && /^[1-9]\d*$/.test(given)) {
    release.set('workers', value(Number(given)));
  } else {
    release.note(
      'changed',
      'workers',
      'The chart runs 4 worker processes in each pod, the app 2: set `workers` for others.',
    );
  }
}

function setPooling(release: Release): void {
  const take = (name: string): string | undefined => release.environment.takeText(`MLFLOW_SQLALCHEMYSTORE_${name}`);
  const number = (text: string | undefined): Code | undefined =>
    text !== undefined && /^[1-9]\d*$/.test(text) ? value(Number(text)) : undefined;
  const recycle = number(take('POOL_RECYCLE'));
  const echo = take('ECHO');
  const poolClass = take('POOLCLASS');
  const fields = {
    poolSize: number(take('POOL_SIZE')),
    maxOverflow: number(take('MAX_OVERFLOW')),
    recycle: recycle && call(cdk8s('Duration'), 'seconds', recycle),
    echo: echo === 'true' ? value(true) : undefined,
    poolClass: poolClass === undefined ? undefined : value(poolClass),
  };
  if (Object.values(fields).some((each) => each !== undefined)) {
    release.set('pooling', create(mlflow('PoolingProfile'), struct(mlflow('PoolingProfileProps'), fields)));
    release.note(
      'changed',
      'MLFLOW_SQLALCHEMYSTORE_*',
      'A worker serves at most `poolSize` + `maxOverflow` - 1 requests at once, so that they never wait for each other. PoolingProfile.STANDARD does the same work with fewer connections.',
    );
  }
}

function setList(release: Release, prop: string, text: string | undefined): void {
  const items = (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  release.set(prop, items.length === 0 ? undefined : texts(items));
}
