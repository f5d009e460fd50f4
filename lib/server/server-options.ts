import type { Problems } from '../validation/problems';

/** The decision about an option of a program that users might set. An option without a decision is passed on. */
export interface OptionDecision {
  /** Why users must not set it. */
  readonly reason: string;
  /** What to do instead, as a whole sentence. */
  readonly wayOut?: string;
  readonly short?: string;
  /** The environment variable of the same option. */
  readonly variable?: string;
}

type Decisions = Readonly<Record<string, OptionDecision>>;

const SET = 'the library sets it itself';
const ADD_UVICORN_OPTIONS = 'Add options of uvicorn with `extraArgs: ["--uvicorn-opts=…"]`.';

/** The option whose value holds ours and those of users. */
export const UVICORN_OPTIONS = '--uvicorn-opts';

/** The options of `mlflow server` that users must not set. */
export const SERVER_OPTIONS: Decisions = {
  '--backend-store-uri': ours('backend'),
  '--registry-store-uri': ours('backend', { variable: 'MLFLOW_REGISTRY_STORE_URI' }),
  // Its variable is for users who do not set the prop, since a Secret can hold its password.
  '--read-replica-backend-store-uri': ours('readFromReplica'),
  '--workers': ours('workers', { short: '-w', variable: 'MLFLOW_WORKERS' }),
  '--host': ours('', { short: '-h', variable: 'MLFLOW_HOST' }),
  '--port': ours('service.port', { short: '-p', variable: 'MLFLOW_PORT' }),
  '--static-prefix': ours('staticPrefix', { variable: 'MLFLOW_STATIC_PREFIX' }),
  '--serve-artifacts': ours('artifactRoot', { variable: 'MLFLOW_SERVE_ARTIFACTS' }),
  '--no-serve-artifacts': ours('artifactRoot'),
  '--artifacts-destination': ours('artifactRoot', { variable: 'MLFLOW_ARTIFACTS_DESTINATION' }),
  '--default-artifact-root': ours('artifactRoot'),
  '--artifacts-presigned-only': ours('artifactRoot.transfers', { variable: 'MLFLOW_ARTIFACTS_PRESIGNED_ONLY' }),
  '--artifacts-only': {
    reason: 'such a server has no tracking API, which the library runs',
    wayOut: 'Leave it out.',
    variable: 'MLFLOW_ARTIFACTS_ONLY',
  },
  '--allowed-hosts': ours('allowedHosts'),
  '--cors-allowed-origins': ours('corsAllowedOrigins'),
  '--disable-security-middleware': {
    reason: 'it turns off `allowedHosts` and `corsAllowedOrigins`',
    wayOut: 'Use `allowedHosts` and `corsAllowedOrigins`.',
    variable: 'MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE',
  },
  '--app-name': ours('auth'),
  '--enable-workspaces': ours('workspaces'),
  '--disable-workspaces': ours('workspaces'),
  '--trace-archival-config': ours('traceArchival'),
  '--expose-prometheus': ours('metrics', { variable: 'MLFLOW_EXPOSE_PROMETHEUS' }),
  '--gunicorn-opts': { ...otherServer('gunicorn'), variable: 'MLFLOW_GUNICORN_OPTS' },
  '--waitress-opts': otherServer('waitress'),
  '--dev': {
    reason: 'MLflow ends with it beside --uvicorn-opts, which the library sets',
    wayOut: 'Use `logLevel` for more messages.',
  },
  '--help': { reason: 'MLflow prints its options and ends', wayOut: 'Leave it out.' },
};

/** The options of uvicorn that users must not set. Its variables are the same names with `UVICORN_`. */
export const UVICORN_DECISIONS: Decisions = {
  '--host': ours(''),
  '--port': ours('service.port'),
  '--workers': ours('workers'),
  '--log-level': ours('logLevel'),
  '--loop': ours(''),
  '--timeout-worker-healthcheck': ours(''),
  '--ssl-certfile': ours('certificate'),
  '--ssl-keyfile': ours('certificate'),
  '--uds': otherAddress(),
  '--fd': otherAddress(),
  '--env-file': { reason: 'the library sets the environment', wayOut: 'Use `extraEnvVars`.' },
  '--factory': { reason: 'MLflow chooses the application', wayOut: 'Leave it out.' },
  '--interface': { reason: 'MLflow chooses the application', wayOut: 'Leave it out.' },
  '--reload': reload(),
  '--reload-dir': reload(),
  '--reload-include': reload(),
  '--reload-exclude': reload(),
  '--reload-delay': reload(),
  '--version': { reason: 'uvicorn prints its version and ends', wayOut: 'Leave it out.' },
  '--help': { reason: 'uvicorn prints its options and ends', wayOut: 'Leave it out.' },
};

/** The variables, besides those of options, that users must not set. */
export const SERVER_VARIABLES: Decisions = {
  MLFLOW_UVICORN_OPTS: { reason: SET, wayOut: ADD_UVICORN_OPTIONS },
  // The library renders the options, which win over their variables.
  UVICORN_LOG_CONFIG: { reason: SET, wayOut: 'Add `extraArgs: ["--uvicorn-opts=--log-config=…"]`.' },
  UVICORN_HTTP: { reason: SET, wayOut: 'Add `extraArgs: ["--uvicorn-opts=--http=…"]`.' },
  UVICORN_TIMEOUT_KEEP_ALIVE: { reason: SET, wayOut: 'Add `extraArgs: ["--uvicorn-opts=--timeout-keep-alive=…"]`.' },
  WEB_CONCURRENCY: ours('workers'),
  GUNICORN_CMD_ARGS: otherServer('gunicorn'),
  UVICORN_APP: { reason: 'MLflow chooses the application', wayOut: 'Leave it out.' },
  ...Object.fromEntries(
    Object.values(SERVER_OPTIONS).flatMap((each) => (each.variable === undefined ? [] : [[each.variable, each]])),
  ),
  ...Object.fromEntries(
    Object.entries(UVICORN_DECISIONS).map(([option, each]) => [
      `UVICORN_${option.slice(2).replaceAll('-', '_').toUpperCase()}`,
      each,
    ]),
  ),
};

/** Start the names of variables by which MLflow's processes talk to each other; some are keys that open the server. */
export const INTERNAL_VARIABLES = [
  'SERVER_',
  'HUEY_',
  'ASSISTANT_',
  'AUTH_',
  'INTERNAL_',
  'IN_',
  'SGI_NAME',
  'STATIC_PREFIX',
].map((start) => `_MLFLOW_${start}`);

/** Refuses variables of the server that go past what the library sets. */
export function checkServerVariables(problems: Problems, prop: string, names: readonly string[]): void {
  for (const name of names) {
    refuse(problems, `${prop}.${name}`, SERVER_VARIABLES[name]);
    if (INTERNAL_VARIABLES.some((start) => name.startsWith(start))) {
      refuse(problems, `${prop}.${name}`, {
        reason: 'MLflow sets it itself for its processes',
        wayOut: 'Use the prop of the setting.',
      });
    }
  }
}

/** Adds that users must not set something that has a decision. */
export function refuse(problems: Problems, what: string, decision: OptionDecision | undefined): void {
  if (decision !== undefined) {
    problems.say(`\`${what}\` must not be set: ${decision.reason}.`, decision.wayOut);
  }
}

function ours(prop: string, names: Pick<OptionDecision, 'short' | 'variable'> = {}): OptionDecision {
  return { reason: SET, ...(prop !== '' && { wayOut: `Use \`${prop}\`.` }), ...names };
}

function otherServer(name: string): OptionDecision {
  return { reason: `the library runs MLflow on uvicorn, not on ${name}`, wayOut: ADD_UVICORN_OPTIONS };
}

function otherAddress(): OptionDecision {
  return { reason: 'the probes and the Service use the port of the server', wayOut: 'Use `service.port`.' };
}

function reload(): OptionDecision {
  return { reason: 'it is for development, and has no `workers`', wayOut: 'Leave it out.' };
}
