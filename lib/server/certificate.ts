import type { TlsCertificate } from '../kube/values/tls-certificate';

/** Where the certificate is mounted of who listens on the port of the pod. */
export const CERTIFICATE_FOLDER = '/etc/mlflow-tls';

export const CERTIFICATE_FILE = `${CERTIFICATE_FOLDER}/certificate/tls.crt`;

export const KEY_FILE = `${CERTIFICATE_FOLDER}/key/tls.key`;

/** The name of the port, by which meshes and monitors know the protocol. It is the scheme of its URL, too. */
export function portNameOf(certificate: TlsCertificate | undefined): 'http' | 'https' {
  return certificate === undefined ? 'http' : 'https';
}
