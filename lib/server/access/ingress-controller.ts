import { ApiObject, type Duration, type Size } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import { checkSize, mebibytesOf } from '../../kube/pod/resources';
import { checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { type BackendTlsOptions, checkBackendTls, serverNameOf } from './backend-tls';

/** Limits of an nginx controller for uploads of large artifacts. */
export interface UploadOptions {
  /**
   * Size limit of an upload. The nginx default is 1 MiB, with which the upload of any model fails with HTTP 413.
   * @default - no limit
   */
  readonly maxSize?: Size;

  /**
   * How long the server may send nothing during a request, such as while it stores an upload.
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** Limits of an AWS load balancer. */
export interface AwsLoadBalancerOptions {
  /**
   * How long a connection may be idle, at most 4000 seconds.
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** nginx closes an idle connection to a server after 60 s (`keepalive_timeout` of `upstream`). */
const NGINX_IDLE = 60;

/** Traefik closes one after 90 s (`idleConnTimeout` of a ServersTransport). */
const TRAEFIK_IDLE = 90;

/** An ingress controller, with annotations that let large artifacts pass. */
export class IngressController {
  /**
   * The nginx controller of the Kubernetes project, retired since March 2026. Choose it where it is installed; for new
   * clusters, prefer a Gateway.
   * @see https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
   */
  public static ingressNginx(options: UploadOptions = {}): IngressController {
    const seconds = String(secondsOf(options.timeout));
    return new IngressController(options.timeout, undefined, options.maxSize, NGINX_IDLE, (tls) =>
      prefixed('nginx.ingress.kubernetes.io', {
        'proxy-body-size': sizeOf(options.maxSize),
        'proxy-read-timeout': seconds,
        'proxy-send-timeout': seconds,
        // Otherwise the controller stores each upload on its disk before it passes it on.
        'proxy-request-buffering': 'off',
        ...(tls && { 'backend-protocol': 'HTTPS' }),
      }),
    );
  }

  /**
   * The nginx controller of F5 (NGINX Inc.). Choose it where it is installed.
   * @see https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/
   */
  public static f5Nginx(options: UploadOptions = {}): IngressController {
    const seconds = `${String(secondsOf(options.timeout))}s`;
    return new IngressController(options.timeout, undefined, options.maxSize, NGINX_IDLE, (tls, service) =>
      prefixed('nginx.org', {
        'client-max-body-size': sizeOf(options.maxSize),
        'proxy-read-timeout': seconds,
        'proxy-send-timeout': seconds,
        ...(tls && { 'ssl-services': service }),
      }),
    );
  }

  /**
   * The AWS Load Balancer Controller, with an ALB, which has no size limit. Choose it on EKS.
   * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
   */
  public static awsLoadBalancer(options: AwsLoadBalancerOptions = {}): IngressController {
    const idle = secondsOf(options.timeout);
    return new IngressController(options.timeout, 4000, undefined, idle, (tls, _, health) =>
      prefixed('alb.ingress.kubernetes.io', {
        'load-balancer-attributes': `idle_timeout.timeout_seconds=${String(idle)}`,
        // Targets are the pods themselves, which leave the load balancer as soon as they terminate.
        'target-type': 'ip',
        'healthcheck-path': health,
        ...(tls && { 'backend-protocol': 'HTTPS' }),
      }),
    );
  }

  /**
   * Traefik, which has no size limit. With the `certificate` of the server, it makes a ServersTransport, and the annotations of the
   * Service that name it: Traefik verifies the address of the pod otherwise, and answers HTTP 500. It needs Traefik's provider
   * kubernetesCRD beside its provider for Ingress.
   *
   * How long an upload may take is a setting of Traefik's own, for all servers: `readTimeout` of the entry point, 60 seconds by default
   * (`--entryPoints.websecure.transport.respondingTimeouts.readTimeout=1h`).
   * @see https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/serverstransport/
   */
  public static traefik(options: BackendTlsOptions = {}): IngressController {
    return new IngressController(undefined, undefined, undefined, TRAEFIK_IDLE, () => ({}), options);
  }

  private constructor(
    private readonly timeout: Duration | undefined,
    private readonly maxSeconds: number | undefined,
    private readonly maxSize: Size | undefined,
    /**
     * Seconds for which the controller keeps an idle connection to the server.
     * @internal
     */
    public readonly _idleSeconds: number,
    /** @internal */
    public readonly _annotations: (tls: boolean, service: string, health: string) => Record<string, string>,
    private readonly serversTransport?: BackendTlsOptions,
  ) {}

  /** @internal */
  public _check(problems: Problems, server: { readonly hasCertificate: boolean; readonly namespace?: string }): void {
    if (this.serversTransport !== undefined) {
      checkBackendTls(problems, 'ingress.controller', this.serversTransport, server.hasCertificate);
      if (server.hasCertificate && server.namespace === undefined) {
        problems.say(
          '`ingress.controller` must be in a chart with a namespace, by which Traefik finds the ServersTransport.',
          'Set the `namespace` of the chart.',
        );
      }
    }
    checkSize(problems, 'ingress.controller.maxSize', this.maxSize);
    checkSeconds(problems, 'ingress.controller.timeout', this.timeout);
    const seconds = secondsOf(this.timeout);
    if (this.maxSeconds !== undefined && seconds > this.maxSeconds) {
      problems.add('ingress.controller.timeout', `must be at most ${String(this.maxSeconds)} seconds`, seconds);
    }
  }

  /**
   * Annotations of the Service of a server with a certificate.
   *
   * @internal
   */
  public _serviceAnnotations(name: string, namespace: string | undefined): Record<string, string> {
    if (this.serversTransport === undefined) {
      return {};
    }
    return prefixed('traefik.ingress.kubernetes.io', {
      'service.serversscheme': 'https',
      'service.serverstransport': `${String(namespace)}-${name}@kubernetescrd`,
    });
  }

  /**
   * Makes what the controller needs to connect to the server by HTTPS.
   * @see https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/ingress/
   * @internal
   */
  public _connectByHttps(scope: Construct, service: kplus.Service, labels: ObjectLabels): void {
    if (this.serversTransport === undefined) {
      return;
    }
    const { ca } = this.serversTransport;
    new ApiObject(scope, 'servers-transport', {
      apiVersion: 'traefik.io/v1alpha1',
      kind: 'ServersTransport',
      metadata: { name: service.name, labels: labels.all },
      spec: {
        serverName: serverNameOf(this.serversTransport, service),
        rootCAs: ca && [{ [ca._reference.kind]: ca._reference.name }],
      },
    });
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
