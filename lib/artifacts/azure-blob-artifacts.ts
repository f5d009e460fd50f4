import type { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName, checkSeconds } from '../validation/checks';
import { fromSecretKey, texts } from '../kube/values/env-values';
import { checkRoute, type NetworkRoute } from '../kube/network/network-route';
import { Problems } from '../validation/problems';

import { type ArtifactAccess, checkPrefix, rootFor, routeToStore } from './object-store';
import { type ArtifactLocation, ArtifactVisibility, type IArtifactStore } from './artifact-store';

/** How the server proves to Azure Blob Storage who it is. */
export class AzureBlobCredentials {
  /** By a connection string in a Secret, in the namespace of the pods. */
  public static fromConnectionString(
    secretName: string,
    key = 'AZURE_STORAGE_CONNECTION_STRING',
  ): AzureBlobCredentials {
    return new AzureBlobCredentials('AZURE_STORAGE_CONNECTION_STRING', { secretName, key });
  }

  /** By the access key of the account in a Secret, in the namespace of the pods. */
  public static fromAccessKey(secretName: string, key = 'AZURE_STORAGE_ACCESS_KEY'): AzureBlobCredentials {
    return new AzureBlobCredentials('AZURE_STORAGE_ACCESS_KEY', { secretName, key });
  }

  /**
   * By workload identity.
   *
   * @param clientId client id of the managed identity or the application that trusts the ServiceAccount of the server
   */
  public static fromClientId(clientId: string): AzureBlobCredentials {
    return new AzureBlobCredentials(undefined, undefined, clientId);
  }

  private constructor(
    private readonly variable?: string,
    /** @internal */
    public readonly _secret?: { readonly secretName: string; readonly key: string },
    /** @internal */
    public readonly _clientId?: string,
  ) {}

  /** @internal */
  public _environment(): Record<string, kplus.EnvValue> {
    if (this.variable === undefined || this._secret === undefined) {
      return {};
    }
    return { [this.variable]: fromSecretKey(this._secret.secretName, this._secret.key) };
  }
}

/** Props of {@link AzureBlobArtifacts}. */
export interface AzureBlobArtifactsProps {
  /** Name of the storage account. */
  readonly account: string;

  /** Name of the container in the account. */
  readonly container: string;

  /** How the server proves who it is. */
  readonly credentials: AzureBlobCredentials;

  /**
   * Folder of the container.
   * @default - the container itself
   */
  readonly prefix?: string;

  /**
   * Who talks to the container: the server, or clients themselves.
   * @default ArtifactAccess.PROXIED
   */
  readonly access?: ArtifactAccess;

  /**
   * How long the server waits for the store during one up- or download.
   * @default Duration.minutes(10) - MLflow's own
   */
  readonly transferTimeout?: Duration;

  /**
   * The way to the store and to its credentials through the network, for servers with `isolation`. Behind a private endpoint,
   * `{ peers: [NetworkPeer.cidr('10.20.0.0/16')] }`.
   * @default - every address at port 443
   */
  readonly route?: NetworkRoute;
}

/** Artifacts in a container of Azure Blob Storage. The image needs azure-storage-blob and azure-identity. */
export class AzureBlobArtifacts implements IArtifactStore {
  public constructor(private readonly props: AzureBlobArtifactsProps) {}

  public bind(scope: Construct): ArtifactLocation {
    const { account, container, prefix, credentials, access, transferTimeout } = this.props;
    this.check(scope);
    const root = `wasbs://${container}@${account}.blob.core.windows.net`;
    const uri = prefix === undefined ? root : `${root}/${prefix}`;
    const clientId = credentials._clientId;
    return {
      destination: uri,
      defaultArtifactRoot: rootFor(uri, access),
      visibility: ArtifactVisibility.CLUSTER,
      envVariables: {
        ...credentials._environment(),
        ...(transferTimeout && texts({ MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: transferTimeout.toSeconds() })),
      },
      routes: [routeToStore(this.props.route)],
      ...(clientId !== undefined && {
        podLabels: { 'azure.workload.identity/use': 'true' },
        serviceAccountAnnotations: { 'azure.workload.identity/client-id': clientId },
      }),
    };
  }

  private check(scope: Construct): void {
    const { account, container, prefix, credentials } = this.props;
    const problems = Problems.of(scope);
    if (!/^[a-z0-9]{3,24}$/.test(account)) {
      problems.add('artifactRoot.account', 'must be the name of a storage account', account);
    }
    if (!/^[a-z0-9](-?[a-z0-9]){2,62}$/.test(container)) {
      problems.add('artifactRoot.container', 'must be the name of a container', container);
    }
    checkPrefix(problems, prefix);
    checkRoute(problems, 'artifactRoot.route', this.props.route);
    checkSeconds(problems, 'artifactRoot.transferTimeout', this.props.transferTimeout);
    if (credentials._secret !== undefined) {
      checkObjectName(problems, 'artifactRoot.credentials.secretName', credentials._secret.secretName);
      checkDataKey(problems, 'artifactRoot.credentials', credentials._secret.key);
    }
    if (credentials._clientId === '') {
      problems.add('artifactRoot.credentials', 'must have a client id', '');
    }
    problems.throwIfAny();
  }
}
