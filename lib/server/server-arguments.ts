import { Duration } from 'cdk8s';

import { SCRIPT_FOLDER } from '../scripts/scripts';
import type { Problems } from '../validation/problems';

import { keepAliveSeconds } from './access/keep-alive';
import { checkServerVariables, refuse, SERVER_OPTIONS, UVICORN_DECISIONS, UVICORN_OPTIONS } from './server-options';
import type { ServerSettings, ServerSpec } from './server-spec';
import { checkDirectApi, DIRECT_API_ARGUMENT, hasDirectApi } from './settings/direct-api';
import { LOG_CONFIG } from './settings/log-level';
import { METRICS_ARGUMENT } from './settings/metrics';
import { CERTIFICATE_FILE, KEY_FILE, PROXIED_PORT, SERVER_PORT } from './settings/port';

/** By default, uvicorn kills a worker, with all its requests, that does not respond for 5 s, as can happen on a busy node. */
const HUNG_WORKER = Duration.seconds(30);

const OPTION = /^-{1,2}[a-zA-Z][-\w]*$/;

const SHORT_OPTIONS = new Map(
  Object.entries(SERVER_OPTIONS).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name] as const])),
);

interface Option {
  readonly name: string;
  readonly shown: string;
  readonly value: string;
  /** Index of the argument that may be its value, or -1. */
  readonly end: number;
}

/** Refuses arguments and variables that go past what the library sets. */
export function checkExtraOptions(
  problems: Problems,
  server: Pick<ServerSettings, 'extraArgs' | 'extraEnvVars' | 'directApi' | 'workspaces'>,
): void {
  const { extraArgs, extraEnvVars } = server;
  for (const { name, shown, value } of optionsOf(extraArgs, SHORT_OPTIONS)) {
    if (!OPTION.test(name)) {
      problems.add('extraArgs', 'must be options of `mlflow server`, one in each string, with values after `=`', shown);
    }
    if (name === UVICORN_OPTIONS && value.trim() === '') {
      problems.add('extraArgs --uvicorn-opts', 'must have options of uvicorn as its value', value);
    }
    refuse(problems, `extraArgs ${shown}`, SERVER_OPTIONS[name]);
  }
  const uvicorn = uvicornOptions(extraArgs);
  const ofUvicorn = optionsOfUvicorn(extraArgs);
  checkDirectApi(problems, server, ofUvicorn);
  for (const { name, shown } of ofUvicorn) {
    if (!OPTION.test(name)) {
      problems.add('extraArgs --uvicorn-opts', 'must be options of uvicorn, with values after `=`', shown);
    }
    refuse(problems, `extraArgs --uvicorn-opts ${shown}`, UVICORN_DECISIONS[name]);
  }
  if (words(uvicorn) === undefined) {
    problems.add('extraArgs --uvicorn-opts', 'must close its quotation marks', uvicorn);
  }
  checkServerVariables(problems, 'extraEnvVars', Object.keys(extraEnvVars));
}

/** The options among arguments, each with its value as the user wrote it. `-p1` and `-p 1` are the long option. */
function optionsOf(
  args: readonly string[],
  shortOptions: ReadonlyMap<string, string> = new Map<string, string>(),
): Option[] {
  const options: Option[] = [];
  args.forEach((arg, index) => {
    const last = options.at(-1);
    if (last?.end === index && (!arg.startsWith('-') || last.name === UVICORN_OPTIONS)) {
      options[options.length - 1] = { ...last, shown: `${last.shown} ${arg}`, value: arg, end: -1 };
      return;
    }
    const [name = '', ...value] = arg.split('=');
    const long = arg.startsWith('--') ? name : (shortOptions.get(arg.slice(0, 2)) ?? name);
    const isAttached = value.length > 0 || (long !== name && arg.length > 2);
    options.push({ name: long, shown: arg, value: value.join('='), end: isAttached ? -1 : index + 1 });
  });
  return options;
}

/** The options of uvicorn that the user adds. */
function uvicornOptions(extraArgs: readonly string[]): string {
  return optionsOf(extraArgs)
    .filter((option) => option.name === UVICORN_OPTIONS)
    .map((option) => option.value)
    .join(' ');
}

/** The same, each with its value; none while a quotation mark stays open, which is already a problem. */
function optionsOfUvicorn(extraArgs: readonly string[]): Option[] {
  return optionsOf(words(uvicornOptions(extraArgs)) ?? []);
}

/** The arguments without `--uvicorn-opts`: MLflow takes the last one, so that a second would replace that of the library. */
function withoutUvicornOptions(extraArgs: readonly string[]): string[] {
  return extraArgs.filter(
    (arg, index) =>
      arg !== UVICORN_OPTIONS && !arg.startsWith(`${UVICORN_OPTIONS}=`) && extraArgs[index - 1] !== UVICORN_OPTIONS,
  );
}

/** The words of a command line, as a shell splits them, or undefined where a quotation mark stays open. */
function words(line: string): string[] | undefined {
  const word = /(?:[^\s"']|"[^"]*"|'[^']*')+/g;
  return /["']/.test(line.replace(word, ''))
    ? undefined
    : (line.match(word) ?? []).map((each) => each.replace(/["']/g, ''));
}

/** The arguments of the container that serves. */
export function serverArguments(spec: ServerSpec): string[] {
  const { authParts: auth } = spec;
  const uvicorn = [
    `--log-level=${spec.logLevel}`,
    `--timeout-worker-healthcheck=${String(HUNG_WORKER.toSeconds())}`,
    `--timeout-keep-alive=${String(keepAliveSeconds(spec, auth.proxy !== undefined))}`,
    '--loop=bounded_loop:new_loop',
    ...(hasDirectApi(spec, optionsOfUvicorn(spec.extraArgs), auth) ? [DIRECT_API_ARGUMENT] : []),
    `--log-config=${SCRIPT_FOLDER}/${LOG_CONFIG}`,
    ...(spec.accessLog ? [] : ['--no-access-log']),
    // A proxy presents the certificate itself.
    ...(spec.isHttps && auth.proxy === undefined
      ? [`--ssl-certfile=${CERTIFICATE_FILE}`, `--ssl-keyfile=${KEY_FILE}`]
      : []),
    ...[uvicornOptions(spec.extraArgs)].filter((options) => options !== ''),
  ];
  return [
    'server',
    ...(auth.proxy === undefined
      ? ['--host=0.0.0.0', `--port=${String(SERVER_PORT)}`]
      : ['--host=127.0.0.1', `--port=${String(PROXIED_PORT)}`]),
    `--workers=${String(spec.workers)}`,
    '--serve-artifacts',
    `--artifacts-destination=${spec.artifacts.destination}`,
    ...(spec.artifacts.transfers?._arguments ?? []),
    ...(spec.staticPrefix === '' ? [] : [`--static-prefix=${spec.staticPrefix}`]),
    `--uvicorn-opts=${uvicorn.join(' ')}`,
    ...(spec.workspaces ? ['--enable-workspaces'] : []),
    ...auth.arguments,
    ...withoutUvicornOptions(spec.extraArgs),
    ...(spec.metrics ? [METRICS_ARGUMENT] : []),
  ];
}
