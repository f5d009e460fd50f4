/** Variables by which Python's clients take one file instead of all CAs that they know: OpenSSL, requests, botocore, gRPC. */
export const CA_BUNDLE_VARIABLES = [
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'AWS_CA_BUNDLE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
];
