import type { Construct } from 'constructs';

import type { ObjectLabels } from '../kube/pod/labels';
import { Problems } from '../validation/problems';
import { PoolingProfile } from '../postgres/capacity/pooling-profile';

import { endpointsOf } from './access/hosts';
import { type AuthContext, type AuthParts, NO_AUTH } from './auth/auth-parts';
import type { MlflowServerProps } from './mlflow-server-props';
import { ReadinessCheck } from './readiness-check';

/** What `auth` must look like beside the other props. */
export function checkAuth(problems: Problems, props: MlflowServerProps): void {
  props.auth?._strategy.check(problems, contextOf(props));
}

/** What `auth` adds to a server. Makes the objects that it needs below `scope`. */
export function bindAuth(scope: Construct, props: MlflowServerProps, labels: ObjectLabels): AuthParts {
  const auth = props.auth?._strategy.bind(scope, labels, contextOf(props)) ?? NO_AUTH;
  const problems = new Problems(scope);
  for (const name of Object.keys(props.extraEnvVars ?? {}).filter((each) => each in auth.serverEnvironment)) {
    problems.reserved(`extraEnvVars.${name}`, 'auth');
  }
  problems.throwIfAny();
  return auth;
}

function contextOf(props: MlflowServerProps): AuthContext {
  const root = props.staticPrefix ?? '/';
  return {
    backend: props.backend,
    pooling: props.pooling ?? PoolingProfile.STANDARD,
    isPreparedByPods: (props.databaseMigration?._kind ?? 'init') === 'init',
    readinessCheck: props.readinessCheck ?? ReadinessCheck.SERVER,
    endpoints: endpointsOf(props),
    paths: {
      ...(props.ingress && { 'ingress.path': props.ingress.path ?? root }),
      ...(props.httpRoute && { 'httpRoute.path': props.httpRoute.path ?? root }),
    },
    isHttps: props.certificate !== undefined,
    metrics: props.metrics === true,
    staticPrefix: props.staticPrefix ?? '',
  };
}
