import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import type { SecretKey } from '../kube/values/secret-key';
import { type AiGatewayOptions, PROVIDER_NAME } from '../server/settings/ai-gateway';
import { checkConstruct } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import type { MlflowObjects } from './mlflow-objects';
import { checkWorkspaceName, type ObjectProps } from './object-props';
import { hasLogin, isPrivate, outgoingUrl, portOf } from './outgoing-url';

/** As MLflow has it (`is_valid_endpoint_name`), with room for the names of its models and keys in columns of 255 characters. */
const NAME = /^[A-Za-z0-9._-]{1,180}$/;
/** Sizes of the columns (`SqlGatewayModelDefinition`). */
const LONGEST_PROVIDER = 64;
const LONGEST_MODEL = 256;
const LONGEST_URL = 2048;
const HTTPS_PORT = 443;
/** Settings that choose where requests go, which MLflow refuses (GATEWAY_DESTINATION_KEYS of mlflow.utils.validation). */
const DESTINATIONS = ['base_url', 'model_list', 'fallbacks', 'custom_llm_provider'];

/** A model of a provider, for {@link MlflowGatewayEndpoint}. */
export interface GatewayModelOptions {
  /** Name of the provider, as MLflow has it, such as `openai`, `anthropic` or `mistral`. */
  readonly provider: string;

  /** Name of the model at the provider, such as `gpt-4o-mini`. */
  readonly modelName: string;

  /**
   * API key of the provider, in ASCII without spaces. MLflow encrypts it with `encryption.passphrase` of the server and shows it to nobody,
   * so each run of the Job sets it. A provider without keys takes any text.
   */
  readonly apiKey: SecretKey;

  /**
   * URL of the provider's API, such as `https://vllm.example.com/v1`. It is in the manifest, so that nothing in it may be secret. A
   * private address needs `aiGateway.allowPrivateAddresses` of the server, and HTTP needs `aiGateway.allowHttp`.
   * @default - the address that MLflow knows of the provider
   */
  readonly apiBase?: string;

  /**
   * What the provider needs besides, without secrets: MLflow's `auth_config`, such as `{ organization: 'org-1' }` for `openai`.
   * @default - none
   */
  readonly authConfig?: Record<string, string>;
}

/** Props of {@link MlflowGatewayEndpoint}. */
export interface MlflowGatewayEndpointProps extends ObjectProps {
  /**
   * Name of the endpoint, which clients call: 1 to 180 letters, digits, dots, underscores and dashes.
   * @default - the construct's id
   */
  readonly endpointName?: string;

  /** The models, one or more. The first is called; each further one is called if those before it have failed. */
  readonly models: GatewayModelOptions[];

  /**
   * Whether MLflow keeps a trace of each call, with what was asked and answered, in the experiment `gateway/<endpointName>`.
   * @default - a new endpoint keeps them, as MLflow has it, and one that exists stays what it is
   */
  readonly usageTracking?: boolean;

  /**
   * Name of its workspace, on a server with `workspaces`.
   * @default - the default workspace
   */
  readonly workspace?: string;
}

/**
 * An endpoint of MLflow's AI Gateway: clients call models by its name, and the keys of the providers stay in MLflow. MLflow 3.17 or later.
 *
 * In MLflow it is an endpoint, and for each model a model definition `<endpointName>/<number>` and an API key
 * `<endpointName>/<number>/<provider>`. Workers of the server know of a change after at most a minute (MLFLOW_SERVER_SECRETS_CACHE_TTL).
 */
export class MlflowGatewayEndpoint extends Construct {
  /** Name of the endpoint. */
  public readonly endpointName: string;

  public constructor(scope: Construct, id: string, props: MlflowGatewayEndpointProps) {
    super(...checkConstruct('MlflowGatewayEndpoint', scope, id, props));
    const { endpointName = id, models, usageTracking, workspace, objects } = props;
    const problems = problemsOf(this);
    if (!NAME.test(endpointName)) {
      problems.add('endpointName', 'must be 1 to 180 letters, digits, dots, underscores and dashes', endpointName);
    }
    if (models.length === 0) {
      problems.say('`models` must name at least one model, got none.');
    }
    models.forEach((model, i) => {
      checkModel(problems.at(`models[${String(i)}]`), objects, model);
    });
    checkServer(problems, objects);
    checkWorkspaceName(problems, 'workspace', workspace);
    this.endpointName = endpointName;
    objects._declare(this, problems, {
      kind: 'gateway endpoint',
      name: endpointName,
      workspace,
      fields: {
        models: models.map(({ provider, modelName, apiBase, authConfig }) => ({
          provider,
          model_name: modelName,
          auth_config: { ...authConfig, api_base: apiBase },
        })),
        usage_tracking: usageTracking,
      },
      secrets: models.map(({ apiKey }) => apiKey),
    });
  }
}

function checkModel(problems: Problems, objects: MlflowObjects, model: GatewayModelOptions): void {
  const { provider, modelName, apiKey, apiBase, authConfig = {} } = model;
  const aiGateway = aiGatewayOf(objects);
  if (!PROVIDER_NAME.test(provider) || provider.length > LONGEST_PROVIDER) {
    problems.add(
      'provider',
      `must be the name of a provider, in at most ${String(LONGEST_PROVIDER)} lower-case letters, as MLflow has it`,
      provider,
    );
  } else if (aiGateway?.allowedProviders?.includes(provider) === false) {
    problems.add(
      'provider',
      `must be one that the server allows: ${aiGateway.allowedProviders.join(', ')}`,
      provider,
      'Or add it to `aiGateway.allowedProviders` of the server.',
    );
  }
  if (modelName.length > LONGEST_MODEL) {
    problems.add('modelName', `must have at most ${String(LONGEST_MODEL)} characters`, modelName);
  }
  apiKey._check(problems, 'apiKey');
  if (apiBase !== undefined) {
    checkApiBase(problems, objects, apiBase);
  }
  for (const key of Object.keys(authConfig)) {
    if (key === 'api_base') {
      problems.reserved('authConfig.api_base', 'apiBase');
    } else if (DESTINATIONS.includes(key)) {
      problems.add('authConfig', 'must have none of the settings that MLflow refuses', key, 'Set `apiBase`.');
    }
  }
}

function checkApiBase(problems: Problems, objects: MlflowObjects, apiBase: string): void {
  const { _spec: spec, server } = objects;
  const aiGateway = aiGatewayOf(objects);
  const url = outgoingUrl(apiBase, LONGEST_URL, spec === undefined || aiGateway?.allowHttp === true);
  if (url === undefined) {
    problems.add(
      'apiBase',
      `must be a URL of https, of at most ${String(LONGEST_URL)} characters`,
      apiBase,
      'HTTP needs `aiGateway.allowHttp` of the server.',
    );
    return;
  }
  if (hasLogin(url)) {
    problems.say(
      `\`${problems.name('apiBase')}\` must be without a login: it is in the manifest.`,
      'Give the key in `apiKey`.',
    );
  }
  if (isPrivate(url) && spec !== undefined && aiGateway?.allowPrivateAddresses !== true) {
    problems.add(
      'apiBase',
      'must be at a public address: MLflow refuses others',
      apiBase,
      'Or allow them to everybody who may add keys: `aiGateway.allowPrivateAddresses` of the server.',
    );
  }
  const isRestricted = spec?.isolation !== undefined && aiGateway !== undefined && aiGateway.upstreams === undefined;
  if (isRestricted && portOf(url) !== HTTPS_PORT) {
    problems.add(
      'apiBase',
      `must be at port ${String(HTTPS_PORT)}, the only one to which "${server.serverName}" may connect`,
      apiBase,
      'Or name the route to it: `aiGateway.upstreams` of the server.',
    );
  }
}

/** Validates that the server, as far as it is known, encrypts keys with a passphrase of its own and reaches providers. */
function checkServer(problems: Problems, { _spec: spec, server }: MlflowObjects): void {
  if (spec === undefined) {
    return;
  }
  if (spec.encryption?.passphrase === undefined && !('MLFLOW_CRYPTO_KEK_PASSPHRASE' in spec.extraEnvVars)) {
    problems.say(
      `\`apiKey\` needs a server with a passphrase for it, and "${server.serverName}" has none.`,
      'Set `encryption.passphrase` of the server: otherwise MLflow encrypts keys with the public passphrase in its source.',
    );
  }
  if (spec.isolation !== undefined && spec.aiGateway === undefined) {
    problems.say(
      `\`objects\` must be of a server that may connect to providers, and "${server.serverName}" is isolated.`,
      'Set `aiGateway` of the server.',
    );
  }
}

function aiGatewayOf(objects: MlflowObjects): AiGatewayOptions | undefined {
  return objects._spec?.aiGateway;
}
