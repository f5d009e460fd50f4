import { metadataRoute } from '../kube/network/network-route';
import type { Problems } from '../validation/problems';

/**
 * The way to the metadata server of GKE, which hands out credentials to pods, with and without Dataplane V2.
 * @see https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
 */
export const GOOGLE_METADATA = metadataRoute(['169.254.169.252', '169.254.169.254'], 80, 988);

/** What makes a ServiceAccount a Google service account, by workload identity. */
export function googleAccountAnnotations(account: string | undefined): Record<string, string> | undefined {
  return account === undefined ? undefined : { 'iam.gke.io/gcp-service-account': account };
}

/** What the name of a Google service account must look like. */
export function checkGoogleAccount(problems: Problems, prop: string, account: string | undefined): void {
  if (account !== undefined && !/^[^@\s]+@[^@\s]+$/.test(account)) {
    problems.add(prop, 'must be a Google service account (name@project.iam.gserviceaccount.com)', account);
  }
}
