import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import type { TlsCertificate } from '../../kube/values/tls-certificate';

/** The port that a pod answers on: MLflow, or the proxy in front of it. */
export const SERVER_PORT = 5000;

/** The port of MLflow behind a proxy in its pod, on the loopback address. */
export const PROXIED_PORT = 5001;

const CERTIFICATE_FOLDER = '/etc/mlflow-tls';

/** The server's own certificate, as the container that answers on the port mounts it. */
export const CERTIFICATE_FILE = `${CERTIFICATE_FOLDER}/certificate/tls.crt`;

/** The key of that certificate. */
export const KEY_FILE = `${CERTIFICATE_FOLDER}/key/tls.key`;

/** The files of the certificate, for the container that answers on the port. */
export function certificatePart(scope: Construct, certificate: TlsCertificate | undefined): PodPart {
  return { of: 'certificate', volumeMounts: certificate?._mounts(scope, 'server', CERTIFICATE_FOLDER) };
}
