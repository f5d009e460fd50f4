import type { Duration, Size } from 'cdk8s';

import { checkSize, mebibytesOf } from '../../kube/pod/resources';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** What large artifacts need on their way through an ingress controller. */
export interface UploadOptions {
  /**
   * The largest upload. Controllers of nginx allow 1 MiB unless told otherwise: any model would fail with HTTP 413.
   * @default - no limit
   */
  readonly maxSize?: Size;

  /**
   * How long the server may be silent during a request, such as while it stores an upload.
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** What a load balancer of Amazon is told. */
export interface AwsLoadBalancerOptions {
  /**
   * How long a connection may be silent, at most 4000 seconds.
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** The controller behind an Ingress, as far as it has to be told about large artifacts, in annotations of its own. */
export class IngressController {
  /**
   * The nginx controller of the Kubernetes project, which is retired since March 2026: prefer a Gateway for what is new.
   * @see https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
   */
  public static ingressNginx(options: UploadOptions = {}): IngressController {
    const seconds = String(secondsOf(options.timeout));
    return new IngressController(options.timeout, undefined, options.maxSize, (tls) =>
      prefixed('nginx.ingress.kubernetes.io', {
        'proxy-body-size': sizeOf(options.maxSize),
        'proxy-read-timeout': seconds,
        'proxy-send-timeout': seconds,
        // Otherwise each upload lies on the controller's disk before the first byte goes on.
        'proxy-request-buffering': 'off',
        ...(tls && { 'backend-protocol': 'HTTPS' }),
      }),
    );
  }

  /**
   * The nginx controller of F5 (NGINX Inc.).
   * @see https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/
   */
  public static f5Nginx(options: UploadOptions = {}): IngressController {
    const seconds = `${String(secondsOf(options.timeout))}s`;
    return new IngressController(options.timeout, undefined, options.maxSize, (tls, service) =>
      prefixed('nginx.org', {
        'client-max-body-size': sizeOf(options.maxSize),
        'proxy-read-timeout': seconds,
        'proxy-send-timeout': seconds,
        ...(tls && { 'ssl-services': service }),
      }),
    );
  }

  /**
   * The AWS Load Balancer Controller, with an ALB. It has no limit of size.
   * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
   */
  public static awsLoadBalancer(options: AwsLoadBalancerOptions = {}): IngressController {
    return new IngressController(options.timeout, 4000, undefined, (tls, _, health) =>
      prefixed('alb.ingress.kubernetes.io', {
        'load-balancer-attributes': `idle_timeout.timeout_seconds=${String(secondsOf(options.timeout))}`,
        // Straight to the pods, and gone from there as soon as a pod is.
        'target-type': 'ip',
        'healthcheck-path': health,
        ...(tls && { 'backend-protocol': 'HTTPS' }),
      }),
    );
  }

  private constructor(
    private readonly timeout: Duration | undefined,
    private readonly longest: number | undefined,
    private readonly maxSize: Size | undefined,
    /** @internal */
    public readonly _annotations: (tls: boolean, service: string, health: string) => Record<string, string>,
  ) {}

  /** @internal */
  public _check(problems: Problems): void {
    checkSize(problems, 'ingress.controller.maxSize', this.maxSize);
    checkSeconds(problems, 'ingress.controller.timeout', this.timeout);
    if (this.longest !== undefined && secondsOf(this.timeout) > this.longest) {
      problems.add(
        'ingress.controller.timeout',
        `must be at most ${String(this.longest)} seconds`,
        secondsOf(this.timeout),
      );
    }
  }
}

function secondsOf(timeout: Duration | undefined): number {
  return timeout?.toSeconds({ integral: false }) ?? 3600;
}

function sizeOf(size: Size | undefined): string {
  return size === undefined ? '0' : `${String(mebibytesOf(size))}m`;
}

function prefixed(prefix: string, annotations: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`${prefix}/${name}`, value]));
}
