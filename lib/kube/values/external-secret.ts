import { ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';

import { checkDataKey, checkObjectName, checkSeconds } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { Problems } from '../../validation/problems';

/** A store of secrets that the External Secrets Operator reads: one that exists. */
export class SecretStoreReference {
  /** A `SecretStore` in the namespace of the pods. */
  public static fromSecretStoreName(name: string): SecretStoreReference {
    return new SecretStoreReference('SecretStore', name);
  }

  /** A `ClusterSecretStore`, which all namespaces can use. */
  public static fromClusterSecretStoreName(name: string): SecretStoreReference {
    return new SecretStoreReference('ClusterSecretStore', name);
  }

  private constructor(
    /** @internal */
    public readonly _kind: string,
    /** @internal */
    public readonly _name: string,
  ) {}
}

/** Where a value is in a store. */
export interface RemoteSecretKey {
  /** The name of the secret there, as the store has it: a path, a name or an ARN. */
  readonly key: string;

  /**
   * The property in it, where it holds several.
   * @default - the whole secret
   */
  readonly property?: string;

  /**
   * The version of it.
   * @default - the newest
   */
  readonly version?: string;
}

/** Props of {@link ExternalSecret}. */
export interface ExternalSecretProps {
  /** The store. */
  readonly store: SecretStoreReference;

  /** The keys of the Secret to make, and where their values are in the store. */
  readonly keys: Record<string, RemoteSecretKey>;

  /**
   * How often the store is asked.
   * @default Duration.hours(1)
   */
  readonly refreshInterval?: Duration;
}

/**
 * A Secret that the External Secrets Operator makes from a store, so that no manifest holds it. Its name goes wherever the
 * library takes the name of a Secret. Pods wait until it is there; they do not notice by themselves when it changes.
 *
 * @see https://external-secrets.io/latest/api/externalsecret/
 */
export class ExternalSecret extends Construct {
  /** Name of the Secret that the operator makes: the construct's id. */
  public readonly secretName: string;

  /** The custom resource; `addJsonPatch` reaches what has no prop here. */
  public readonly resource: ApiObject;

  public constructor(scope: Construct, id: string, props: ExternalSecretProps) {
    super(...checkConstruct('ExternalSecret', scope, id, props));
    this.check(props);
    const { store, keys, refreshInterval = Duration.hours(1) } = props;
    this.secretName = id;
    this.resource = new ApiObject(this, 'resource', {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      metadata: { name: id, labels: { 'app.kubernetes.io/managed-by': 'cdk8s' } },
      spec: {
        refreshInterval: `${String(refreshInterval.toSeconds())}s`,
        secretStoreRef: { kind: store._kind, name: store._name },
        target: { name: id },
        data: Object.entries(keys).map(([secretKey, { key, property, version }]) => ({
          secretKey,
          remoteRef: { key, property, version },
        })),
      },
    });
  }

  private check({ store, keys, refreshInterval }: ExternalSecretProps): void {
    const problems = new Problems(this);
    checkObjectName(problems, 'id', this.node.id);
    checkObjectName(problems, 'store', store._name);
    if (Object.keys(keys).length === 0) {
      problems.say('`keys` must name at least one key, got none.');
    }
    Object.keys(keys).forEach((key) => {
      checkDataKey(problems, 'keys', key);
    });
    checkSeconds(problems, 'refreshInterval', refreshInterval);
    problems.throwIfAny();
  }
}
