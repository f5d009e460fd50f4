/** The services on the node, or next to it, that issue credentials to pods: of AWS, EKS and Google Cloud. */
export const METADATA_HOSTS = [
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  'fd00:ec2::23',
  'metadata.google.internal',
];
