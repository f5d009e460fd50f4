import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../../images';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import { container, type ContainerOptions } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { SERVER_PORT } from '../settings/port';

import { type AuthContext, type AuthParts, type AuthStrategy, NO_AUTH } from './auth-strategy';
import { checkOAuth2Proxy, type OAuth2ProxyOptions } from './oauth2-proxy-options';
import { proxyArguments } from './proxy-arguments';
import { routeToIssuer } from './single-sign-on';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** A proxy in each pod, which listens in MLflow's place. */
export class OAuth2Proxy implements AuthStrategy {
  public constructor(private readonly options: OAuth2ProxyOptions) {}

  public check(problems: Problems): void {
    checkOAuth2Proxy(problems, this.options);
  }

  public bind(_scope: Construct, _labels: ObjectLabels, context: AuthContext): AuthParts {
    const part: PodPart = {
      of: 'auth',
      envVariables: {
        OAUTH2_PROXY_CLIENT_SECRET: this.options.clientSecret._value(),
        OAUTH2_PROXY_COOKIE_SECRET: this.options.cookieSecret._value(),
      },
      routes: [routeToIssuer(this.options.issuerUrl)],
    };
    return {
      ...NO_AUTH,
      proxy: (certificate) => container('oauth2-proxy', [part, certificate], this.sidecar(context)),
    };
  }

  /** It starts before MLflow and stops after it, so that no answer is cut off: a native sidecar. */
  private sidecar(context: AuthContext): ContainerOptions {
    const probe = (path: string, periodSeconds: number, failureThreshold: number): kplus.Probe =>
      kplus.Probe.fromHttpGet(path, {
        port: SERVER_PORT,
        scheme: context.isHttps ? kplus.ConnectionScheme.HTTPS : kplus.ConnectionScheme.HTTP,
        periodSeconds: Duration.seconds(periodSeconds),
        timeoutSeconds: Duration.seconds(5),
        failureThreshold,
      });
    return {
      image: this.options.image ?? IMAGES.oauth2Proxy,
      restartPolicy: kplus.ContainerRestartPolicy.ALWAYS,
      args: proxyArguments(this.options, context),
      ports: [{ name: context.isHttps ? 'https' : 'http', number: SERVER_PORT }],
      resources: this.options.resources ?? DEFAULT_RESOURCES,
      liveness: probe('/ping', 10, 6),
      readiness: probe('/ready', 5, 2),
    };
  }
}
