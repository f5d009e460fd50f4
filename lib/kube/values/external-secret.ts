import { ApiObject, Duration } from 'cdk8s';
import { Construct } from 'constructs';

import { addMadeOf } from '../unique-name';
import { checkDataKey, checkObjectName, checkSeconds } from '../../validation/checks';
import { problemsOf } from '../construct';
import { checkConstruct } from '../../validation/arguments';

/** Reference to a store of the External Secrets Operator that exists. */
export class SecretStoreReference {
  /** A `SecretStore` in the namespace of the pods. */
  public static fromSecretStoreName(name: string): SecretStoreReference {
    return new SecretStoreReference('SecretStore', name);
  }

  /** A `ClusterSecretStore`, for all namespaces. */
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

/** Location of a value in a store. */
export interface RemoteSecretKey {
  /** Name of the secret in the store: a path, a name or an ARN. */
  readonly key: string;

  /**
   * Property of the secret, if it has several.
   * @default - the whole secret
   */
  readonly property?: string;

  /**
   * Version of the secret.
   * @default - the newest version
   */
  readonly version?: string;
}

/** Props of {@link ExternalSecret}. */
export interface ExternalSecretProps {
  /** Store that holds the values. */
  readonly store: SecretStoreReference;

  /** Location of each value in the store, by key of the Secret. */
  readonly keys: Record<string, RemoteSecretKey>;

  /**
   * Interval at which the operator reads the store.
   * @default Duration.hours(1)
   */
  readonly refreshInterval?: Duration;
}

/**
 * A Secret that the External Secrets Operator makes from a store, so no manifest contains the values. Use `secretName` for every
 * prop that takes the name of a Secret. Pods start once the Secret exists, and need a restart when it changes.
 *
 * @see https://external-secrets.io/latest/api/externalsecret/
 */
export class ExternalSecret extends Construct {
  /** Name of the Secret that the operator makes: the construct's id. */
  public readonly secretName: string;

  /** The custom resource `ExternalSecret`. Use its `addJsonPatch` for fields without a prop here. */
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
          // Defaults in lists are written out: Argo CD shows them as a difference otherwise.
          remoteRef: {
            key,
            property,
            version,
            conversionStrategy: 'Default',
            decodingStrategy: 'None',
            metadataPolicy: 'None',
          },
        })),
      },
    });
    addMadeOf(this.resource, { kind: 'Secret', name: id });
  }

  private check({ store, keys, refreshInterval }: ExternalSecretProps): void {
    const problems = problemsOf(this);
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
