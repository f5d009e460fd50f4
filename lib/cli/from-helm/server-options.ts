import { call, cdk8s, type Code, create, mlflow, struct, texts, value } from '../code/code';

import { SERVER_OPTIONS, UVICORN_DECISIONS, UVICORN_OPTIONS } from '../../server/server-options';
import type { Release } from './release';

/** Reads arguments in a list, `--name=value`, `--name value` in one or in two. */
export function readArgumentList(release: Release, key: string, list: readonly string[]): void {
  const words = list.flatMap((each) =>
    each.startsWith('--') && !each.includes('=') ? each.split(/\s+(.*)/s).filter((part) => part !== '') : [each],
  );
  words.forEach((word, i) => {
    if (word.startsWith('-')) {
      const [name = '', ...rest] = word.replace(/^-+/, '').split('=');
      const next = words[i + 1];
      const text = rest.length > 0 ? rest.join('=') : next !== undefined && !next.startsWith('-') ? next : undefined;
      release.arguments.add(name, key, text);
    }
  });
}

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
