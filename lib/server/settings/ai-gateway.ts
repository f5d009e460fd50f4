import type { Duration } from 'cdk8s';

import { checkRoute, type NetworkRoute, routeAt } from '../../kube/network/network-route';
import type { PodPart } from '../../kube/pod/pod-part';
import { texts } from '../../kube/values/env-values';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkRedis, type RedisOptions, routesToRedis } from './redis-options';

/** Names of providers, as MLflow has them. */
export const PROVIDER_NAME = /^[a-z0-9][-\w.]*$/;

/**
 * What the AI Gateway of a server may do. Its endpoints, with the keys of the providers, are made in MLflow, or declared: `MlflowGatewayEndpoint`.
 */
export interface AiGatewayOptions {
  /**
   * Names of the providers that endpoints may use, such as `openai`.
   * @default - every provider that MLflow knows
   */
  readonly allowedProviders?: string[];

  /**
   * Whether providers may have private addresses, such as a vLLM in the cluster. Whoever may add a key to the gateway can then
   * reach every address that the pods reach: restrict these with `isolation` and `upstreams`.
   * @default false
   */
  readonly allowPrivateAddresses?: boolean;

  /**
   * Whether providers may be reached by HTTP, without TLS.
   * @default false
   */
  readonly allowHttp?: boolean;

  /**
   * Network routes to the providers, for servers with `isolation`.
   * @default - port 443 at any address
   */
  readonly upstreams?: NetworkRoute[];

  /**
   * Time limit of one request to a provider.
   * @default Duration.minutes(5)
   */
  readonly timeout?: Duration;

  /**
   * Redis that counts the budgets. The image needs the package redis, which MLflow's images do not have.
   * @default - each worker of each pod counts by itself what it spends, and from 0 after a start
   */
  readonly budgetRedis?: RedisOptions;
}

/** The part of the server's container. */
export function aiGatewayPart(options: AiGatewayOptions): PodPart {
  const { allowedProviders, timeout, upstreams, budgetRedis } = options;
  return {
    of: 'aiGateway',
    envVariables: {
      ...texts({
        ...(allowedProviders && { MLFLOW_GATEWAY_ALLOWED_PROVIDERS: allowedProviders.join(',') }),
        ...(options.allowPrivateAddresses === true && { MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS: true }),
        ...(options.allowHttp === true && { MLFLOW_GATEWAY_API_BASE_ALLOWED_SCHEMES: 'https,http' }),
        ...(timeout && { MLFLOW_GATEWAY_ROUTE_TIMEOUT_SECONDS: timeout.toSeconds() }),
      }),
      ...(budgetRedis && { MLFLOW_GATEWAY_BUDGET_REDIS_URL: budgetRedis.url._value() }),
    },
    routes: [...(upstreams ?? [routeAt(443)]), ...routesToRedis(budgetRedis)],
  };
}

/** Validates the options. */
export function checkAiGateway(problems: Problems, options: AiGatewayOptions | undefined): void {
  const { allowedProviders, upstreams, timeout, budgetRedis } = options ?? {};
  if (allowedProviders?.length === 0) {
    problems.say(
      '`aiGateway.allowedProviders` must name at least one provider, got none.',
      'Leave it out to allow all of them.',
    );
  }
  allowedProviders?.forEach((name, i) => {
    if (!PROVIDER_NAME.test(name)) {
      problems.add(
        `aiGateway.allowedProviders[${String(i)}]`,
        'must be the name of a provider, in lower-case letters, as MLflow has it',
        name,
      );
    }
  });
  upstreams?.forEach((route, i) => {
    checkRoute(problems, `aiGateway.upstreams[${String(i)}]`, route);
  });
  checkSeconds(problems, 'aiGateway.timeout', timeout);
  checkRedis(problems, 'aiGateway.budgetRedis', budgetRedis);
}
