import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import type { TlsCertificate } from '../../kube/values/tls-certificate';

/** The port of the pod: MLflow's, or that of the proxy in front of it. */
export const SERVER_PORT = 5000;

/** MLflow's port behind a proxy in its pod, on the loopback address. */
export const PROXIED_PORT = 5001;

const CERTIFICATE_FOLDER = '/etc/mlflow-tls';

/** The certificate file of the container that listens on the port. */
export const CERTIFICATE_FILE = `${CERTIFICATE_FOLDER}/certificate/tls.crt`;

/** The key file of the certificate. */
export const KEY_FILE = `${CERTIFICATE_FOLDER}/key/tls.key`;

/** The certificate, for the container that listens on the port. */
export function certificatePart(scope: Construct, certificate: TlsCertificate | undefined): PodPart {
  return { of: 'certificate', volumeMounts: certificate?._mounts(scope, 'server', CERTIFICATE_FOLDER) };
}
