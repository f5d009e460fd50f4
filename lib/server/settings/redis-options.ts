import { checkRoute, type NetworkRoute, routeAt } from '../../kube/network/network-route';
import type { SecretKey } from '../../kube/values/secret-key';
import type { Problems } from '../../validation/problems';

/** A Redis that all replicas share. */
export interface RedisOptions {
  /** The URL with its password, if there is one: `redis://:password@host:6379/0`, `rediss://…` for TLS. */
  readonly url: SecretKey;

  /**
   * Network route to the Redis, for servers with `isolation`.
   * @default - port 6379 at any address
   */
  readonly route?: NetworkRoute;
}

/** Validates a Redis. */
export function checkRedis(problems: Problems, prop: string, redis: RedisOptions | undefined): void {
  redis?.url._check(problems, `${prop}.url`);
  checkRoute(problems, `${prop}.route`, redis?.route);
}

/** The network route to a Redis, if there is one. */
export function routesToRedis(redis: RedisOptions | undefined): NetworkRoute[] {
  return redis === undefined ? [] : [routeAt(6379, redis.route)];
}
