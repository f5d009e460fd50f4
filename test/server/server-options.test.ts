import { EnvValue } from 'cdk8s-plus-28';

import {
  INTERNAL_VARIABLES,
  SERVER_OPTIONS,
  SERVER_VARIABLES,
  UVICORN_DECISIONS,
} from '../../lib/server/server-options';
import { chart, container, server, serverManifests } from '../support/synth';

import recorded from './server-options.json';

const OPTIONS_PASSED_ON = [
  '--x-frame-options',
  '--secrets-cache-ttl',
  '--secrets-cache-max-size',
  '--workspace-store-uri',
];
const UVICORN_PASSED_ON =
  'access-log app-dir backlog date-header forwarded-allow-ips h11-max-incomplete-event-size header http http2 lifespan ' +
  'limit-concurrency limit-max-requests limit-max-requests-jitter log-config proxy-headers reset-contextvars root-path ' +
  'server-header ssl-ca-certs ssl-cert-reqs ssl-ciphers ssl-keyfile-password ssl-version timeout-graceful-shutdown ' +
  'timeout-keep-alive use-colors ws ws-max-queue ws-max-size ws-per-message-deflate ws-ping-interval ws-ping-timeout';
const VARIABLES_SET = ['MLFLOW_BACKEND_STORE_URI', 'MLFLOW_DEFAULT_ARTIFACT_ROOT'];
const { refused, typed, passedOn } = recorded.variables;

test.each(['2.14.3', '3.17.2', '3.18.0'] as const)(
  'MLflow %s: each option, short name and variable has a decision',
  (version) => {
    const { options, uvicorn } = recorded[version];
    const names = Object.entries(options).flatMap(([option, others]) => [option, ...others]);
    const short = Object.values(SERVER_OPTIONS).map((each) => each.short);
    const decided: unknown[] = [...Object.keys(SERVER_OPTIONS), ...short, ...OPTIONS_PASSED_ON, '--uvicorn-opts'];
    const variables = [...Object.keys(SERVER_VARIABLES), ...typed, ...passedOn, ...VARIABLES_SET];
    expect(names.filter((name) => name.startsWith('-') && !decided.includes(name))).toEqual([]);
    expect(names.filter((name) => !name.startsWith('-') && !variables.includes(name))).toEqual([]);
    const ofUvicorn = [...Object.keys(UVICORN_DECISIONS), ...UVICORN_PASSED_ON.split(' ').map((name) => `--${name}`)];
    expect(uvicorn.filter((name) => !ofUvicorn.includes(name))).toEqual([]);
  },
);

test('the recorded decisions are those of the library', () => {
  const isRefused = (name: string) =>
    name in SERVER_VARIABLES || INTERNAL_VARIABLES.some((start) => name.startsWith(start));
  expect(refused.filter((name) => !isRefused(name))).toEqual([]);
  expect([...typed, ...passedOn].filter(isRefused)).toEqual([]);
});

const set = 'must not be set: the library sets it itself.';
const add = 'Add options of uvicorn with `extraArgs: ["--uvicorn-opts=…"]`.';

test.each<[string[], string]>([
  [['--port=1'], `\`extraArgs --port=1\` ${set} Use \`service.port\`.`],
  [['--port', '1'], `\`extraArgs --port 1\` ${set} Use \`service.port\`.`],
  [['-p', '1'], `\`extraArgs -p 1\` ${set} Use \`service.port\`.`],
  [['-p1'], `\`extraArgs -p1\` ${set} Use \`service.port\`.`],
  [['-w', '9'], `\`extraArgs -w 9\` ${set} Use \`workers\`.`],
  [['-h0.0.0.0'], `\`extraArgs -h0.0.0.0\` ${set}`],
  [
    ['--dev'],
    '`extraArgs --dev` must not be set: MLflow ends with it beside --uvicorn-opts, which the library sets. Use `logLevel` for more messages.',
  ],
  [
    ['--gunicorn-opts', 'x'],
    `\`extraArgs --gunicorn-opts x\` must not be set: the library runs MLflow on uvicorn, not on gunicorn. ${add}`,
  ],
  [
    ['--disable-security-middleware'],
    '`extraArgs --disable-security-middleware` must not be set: it turns off `allowedHosts` and `corsAllowedOrigins`. Use `allowedHosts` and `corsAllowedOrigins`.',
  ],
  [
    ['--port 1'],
    '`extraArgs` must be options of `mlflow server`, one in each string, with values after `=`, got "--port 1".',
  ],
  [['--uvicorn-opts=--log-level=debug'], `\`extraArgs --uvicorn-opts --log-level=debug\` ${set} Use \`logLevel\`.`],
  [['--uvicorn-opts', '--workers 3'], `\`extraArgs --uvicorn-opts --workers 3\` ${set} Use \`workers\`.`],
  [
    ['--secrets-cache-ttl=60', '--uvicorn-opts'],
    '`extraArgs --uvicorn-opts` must have options of uvicorn as its value, got an empty string.',
  ],
  [['--uvicorn-opts="a'], '`extraArgs --uvicorn-opts` must close its quotation marks, got "\\"a".'],
])('extraArgs %j', (extraArgs, message) => {
  expect(() => server(chart(), { extraArgs })).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test.each([
  ['MLFLOW_GUNICORN_OPTS', `the library runs MLflow on uvicorn, not on gunicorn. ${add}`],
  ['MLFLOW_UVICORN_OPTS', `the library sets it itself. ${add}`],
  ['MLFLOW_PORT', 'the library sets it itself. Use `service.port`.'],
  [
    'UVICORN_TIMEOUT_KEEP_ALIVE',
    'the library sets it itself. Add `extraArgs: ["--uvicorn-opts=--timeout-keep-alive=…"]`.',
  ],
  ['WEB_CONCURRENCY', 'the library sets it itself. Use `workers`.'],
  ['UVICORN_RELOAD', 'it is for development, and has no `workers`. Leave it out.'],
  ['_MLFLOW_INTERNAL_GATEWAY_AUTH_TOKEN', 'MLflow sets it itself for its processes. Use the prop of the setting.'],
  ['_MLFLOW_SERVER_FILE_STORE', 'MLflow sets it itself for its processes. Use the prop of the setting.'],
])('extraEnvVars %s', (name, reason) => {
  expect(() => server(chart(), { extraEnvVars: { [name]: EnvValue.fromValue('1') } })).toThrow(
    new Error(`[chart/mlflow] \`extraEnvVars.${name}\` must not be set: ${reason}`),
  );
});

test('options of uvicorn are added to those of the library', () => {
  const extraArgs = ['--uvicorn-opts', '--backlog 10', '--secrets-cache-ttl=60', '--uvicorn-opts=--header "a: b"'];
  const { args } = container(serverManifests({ extraArgs }), 'mlflow');
  expect(args.filter((arg: string) => /uvicorn|backlog|secrets/.test(arg))).toEqual([
    '--uvicorn-opts=--log-level=info --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json --backlog 10 --header "a: b"',
    '--secrets-cache-ttl=60',
  ]);
});
