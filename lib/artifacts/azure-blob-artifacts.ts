import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import type { AzureIdentity } from '../identity/azure-identity';
import { checkRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { SecretKey } from '../kube/values/secret-key';
import { checkSeconds } from '../validation/checks';
import { checkNew } from '../validation/arguments';
import { Problems } from '../validation/problems';

import type { ArtifactLocation, IArtifactStore } from './artifact-store';
import { ArtifactTransfers } from './artifact-transfers';
import { type ArtifactAccess, checkPrefix, folderUri, locationAt, withIdentity } from './object-store';

/** Credentials of a storage account: an identity of the pods, or a secret of the account. */
export class AzureBlobCredentials {
  /** An identity that may read and write the container. Choose it on AKS. */
  public static fromIdentity(identity: AzureIdentity): AzureBlobCredentials {
    return new AzureBlobCredentials({}, identity);
  }

  /**
   * A connection string in a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the connection string
   */
  public static fromConnectionString(
    secretName: string,
    key = 'AZURE_STORAGE_CONNECTION_STRING',
  ): AzureBlobCredentials {
    return new AzureBlobCredentials({ AZURE_STORAGE_CONNECTION_STRING: SecretKey.fromSecretName(secretName, key) });
  }

  /**
   * An access key of the account, in a Secret.
   *
   * @param secretName name of the Secret, in the namespace of the pods
   * @param key key of the Secret that holds the access key
   */
  public static fromAccessKey(secretName: string, key = 'AZURE_STORAGE_ACCESS_KEY'): AzureBlobCredentials {
    return new AzureBlobCredentials({ AZURE_STORAGE_ACCESS_KEY: SecretKey.fromSecretName(secretName, key) });
  }

  private constructor(
    private readonly secrets: Record<string, SecretKey>,
    private readonly identity?: AzureIdentity,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    this.identity?._check(problems, prop);
    Object.values(this.secrets).forEach((secret) => {
      secret._check(problems, prop);
    });
  }

  /** @internal */
  public _part(): PodPart {
    const envVariables = Object.entries(this.secrets).map(([name, secret]) => [name, secret._value()] as const);
    return this.identity?._part() ?? { envVariables: Object.fromEntries(envVariables) };
  }
}

/** Props of {@link AzureBlobArtifacts}. */
export interface AzureBlobArtifactsProps {
  /** Name of the storage account. */
  readonly account: string;

  /** Name of the container in the account. */
  readonly container: string;

  /** Credentials of the storage account. */
  readonly credentials: AzureBlobCredentials;

  /**
   * Folder of the container.
   * @default - the container itself
   */
  readonly prefix?: string;

  /**
   * Access of clients to the container: through the server, or directly.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How files of clients that go through the server travel. MLflow signs only uploads; an identity needs the role Storage Blob
   * Delegator for it, or else they go through the server.
   * @default ArtifactTransfers.signedUrls()
   */
  readonly transfers?: ArtifactTransfers;

  /**
   * Timeout of the server for the store during one upload or download.
   * @default Duration.minutes(10) - the default of MLflow
   */
  readonly transferTimeout?: Duration;

  /**
   * Network route to the store, for isolated pods. Behind a private endpoint, `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at port 443
   */
  readonly route?: NetworkRoute;
}

/** Artifacts in a container of Azure Blob Storage. The image needs azure-storage-blob and azure-identity. */
export class AzureBlobArtifacts implements IArtifactStore {
  public constructor(private readonly props: AzureBlobArtifactsProps) {
    checkNew('AzureBlobArtifacts', props);
  }

  public bind(scope: Construct): ArtifactLocation {
    const { account, container, prefix, credentials, access, transferTimeout, route } = this.props;
    this.check(scope);
    const store = {
      envVariables: texts({
        ...(transferTimeout && { MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: transferTimeout.toSeconds() }),
      }),
      routes: [routeAt(443, route)],
    };
    const root = `wasbs://${container}@${account}.blob.core.windows.net`;
    const transfers = this.props.transfers ?? ArtifactTransfers.signedUrls();
    return locationAt(folderUri(root, prefix), access, transfers, withIdentity(store, credentials._part()));
  }

  private check(scope: Construct): void {
    const { account, container, prefix, credentials } = this.props;
    const problems = Problems.of(scope);
    if (!/^[a-z0-9]{3,24}$/.test(account)) {
      problems.add('account', 'must be the name of a storage account', account);
    }
    if (!/^[a-z0-9](-?[a-z0-9]){2,62}$/.test(container)) {
      problems.add('container', 'must be the name of a container', container);
    }
    checkPrefix(problems, 'prefix', prefix);
    checkRoute(problems, 'route', this.props.route);
    checkSeconds(problems, 'transferTimeout', this.props.transferTimeout);
    credentials._check(problems, 'credentials');
    problems.throwIfAny();
  }
}
