import { ApiObject, Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';

import { NetworkPeer } from '../kube/network/network-peer';
import { addCompletion } from '../kube/same-namespace';
import { setScriptFormat } from '../scripts/scripts';
import { Problems } from '../validation/problems';

import { checkClusterOptions } from './check-cluster-options';
import type { ClusterOptions } from './cluster-options';
import { complete } from './completion';
import type { Manifest } from './manifest';
import { PodUser } from './pod-user';

const OPTIONS = new WeakMap<IConstruct, ClusterOptions>();
const COMPLETED = new WeakSet<ApiObject>();
/** Of each app, as of its last validation. */
const SERVICES = new WeakMap<IConstruct, ReadonlySet<string>>();
/** Options whose keys are merged; of all others, the nearest value wins. */
const MERGED = ['nodeSelector', 'podLabels', 'podAnnotations'] as const;

/**
 * What a cluster asks of every pod: its user, images, CAs, proxy, nodes, labels. Set once for an app, a chart or a construct, it
 * reaches all pods below: those of the library and those that you add, whether before or after.
 *
 * The option of the nearest scope wins; labels, annotations and node labels are merged by key. What a pod has by itself takes
 * precedence over both.
 *
 * @example
 * ClusterSettings.of(app).apply({ imageRegistry: ImageRegistry.mirror('registry.example.com/mirror') });
 */
export class ClusterSettings {
  /** The settings for a scope and everything below it: an app, a chart, a construct. */
  public static of(scope: IConstruct): ClusterSettings {
    return new ClusterSettings(scope);
  }

  /**
   * The options for OpenShift: it assigns users to pods, and its DNS servers listen at port 5353.
   * @see https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/authentication_and_authorization/managing-pod-security-policies
   */
  public static openShift(): ClusterOptions {
    return {
      podUser: PodUser.assignedByCluster(),
      dns: { peers: [NetworkPeer.inNamespace('openshift-dns')], ports: [5353] },
    };
  }

  private constructor(private readonly scope: IConstruct) {}

  /** Sets options of the scope. Options that were set before and are not given remain. */
  public apply(options: ClusterOptions): void {
    const problems = new Problems(this.scope);
    checkClusterOptions(problems, options);
    if (
      options.scriptFormat !== undefined &&
      !Chart.isChart(this.scope) &&
      this.scope.node.scopes.some((each) => Chart.isChart(each))
    ) {
      problems.say(
        '`scriptFormat` must be set for an app or a chart: all pods of a chart share the ConfigMaps of scripts.',
        'Use ClusterSettings.of(Chart.of(…)).',
      );
    }
    problems.throwIfAny();
    if (options.scriptFormat !== undefined) {
      setScriptFormat(this.scope, options.scriptFormat);
    }
    const before = OPTIONS.get(this.scope);
    OPTIONS.set(this.scope, { ...before, ...given(options) });
    if (before === undefined) {
      addCompletion(this.scope, () => {
        completeBelow(this.scope);
      });
      this.scope.node.addValidation({
        validate: () => {
          completeBelow(this.scope);
          return [];
        },
      });
    }
  }
}

/** cdk8s has no hook for the manifests of a scope. It validates before it renders, when all objects exist. */
function completeBelow(scope: IConstruct): void {
  SERVICES.delete(scope.node.root);
  for (const object of scope.node.findAll()) {
    if (ApiObject.isApiObject(object) && !COMPLETED.has(object)) {
      COMPLETED.add(object);
      const render = object.toJson.bind(object);
      object.toJson = () => complete(object, render() as Manifest, optionsOf(object), servicesOf(object.node.root));
    }
  }
}

/** The Services of an app, each as `name.namespace`. */
function servicesOf(app: IConstruct): ReadonlySet<string> {
  const known = SERVICES.get(app);
  if (known !== undefined) {
    return known;
  }
  const services = new Set<string>();
  for (const object of app.node.findAll()) {
    if (ApiObject.isApiObject(object) && object.kind === 'Service') {
      services.add(`${object.name}.${object.metadata.namespace ?? ''}`);
    }
  }
  SERVICES.set(app, services);
  return services;
}

function optionsOf(construct: IConstruct): ClusterOptions {
  const all = construct.node.scopes.map((scope) => OPTIONS.get(scope)).filter((options) => options !== undefined);
  const merged = MERGED.map((name) => [name, Object.assign({}, ...all.map((options) => options[name]))] as const);
  return Object.assign({}, ...all, Object.fromEntries(merged)) as ClusterOptions;
}

function given(options: ClusterOptions): ClusterOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
