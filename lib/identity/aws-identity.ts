import { metadataRoute } from '../kube/network/network-route';
import type { Problems } from '../validation/problems';

/**
 * EKS Pod Identity and the metadata of the node.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
 */
export const AMAZON_METADATA = metadataRoute(['169.254.170.23', '169.254.169.254'], 80);

const ROLE = 'eks.amazonaws.com/role-arn';

/** What makes a ServiceAccount a role, by IAM roles for service accounts. */
export function roleAnnotations(roleArn: string): Record<string, string> {
  return { [ROLE]: roleArn };
}

/** What the ARN of a role must look like, where there is one. */
export function checkRole(problems: Problems, prop: string, annotations: Record<string, string> | undefined): void {
  const role = annotations?.[ROLE];
  if (role !== undefined && !/^arn:[-\w]+:iam::\d{12}:role\/.+$/.test(role)) {
    problems.add(prop, 'must be the ARN of a role (arn:aws:iam::123456789012:role/name)', role);
  }
}
