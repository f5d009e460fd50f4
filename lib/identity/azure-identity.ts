import { checkRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { PodPart } from '../kube/pod/pod-part';
import type { Problems } from '../validation/problems';

/** Options of an {@link AzureIdentity}. */
export interface AzureIdentityOptions {
  /**
   * Network route to Microsoft Entra ID, which issues the tokens, for isolated pods.
   * @default - every address at port 443
   */
  readonly entraRoute?: NetworkRoute;
}

/**
 * Identity of pods at Azure, by Microsoft Entra Workload ID.
 * @see https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
 */
export class AzureIdentity {
  /**
   * A managed identity or an application: the ServiceAccount of each pod gets the annotation
   * `azure.workload.identity/client-id`. It needs a federated credential for each ServiceAccount, which has the name of its
   * construct. Choose it on AKS.
   *
   * @param clientId client id of the managed identity or the application
   */
  public static fromClientId(clientId: string, options: AzureIdentityOptions = {}): AzureIdentity {
    return new AzureIdentity(clientId, options);
  }

  /** The identity of a `serviceAccount` of your own, which has that annotation. */
  public static ambient(options: AzureIdentityOptions = {}): AzureIdentity {
    return new AzureIdentity(undefined, options);
  }

  private constructor(
    private readonly clientId: string | undefined,
    private readonly options: AzureIdentityOptions,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    checkRoute(problems, `${prop}.entraRoute`, this.options.entraRoute);
  }

  /** The part of each pod with this identity. @internal */
  public _part(): PodPart {
    return {
      podLabels: { 'azure.workload.identity/use': 'true' },
      routes: [routeAt(443, this.options.entraRoute)],
      ...(this.clientId !== undefined && {
        serviceAccountAnnotations: { 'azure.workload.identity/client-id': this.clientId },
      }),
    };
  }
}
