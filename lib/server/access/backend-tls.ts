import { Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { FileSource } from '../../kube/values/file-source';
import { checkHostName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** How an ingress controller or a Gateway verifies the server's `certificate`. */
export interface BackendTlsOptions {
  /**
   * Name in the certificate of the server.
   * @default - `<service>.<namespace>.svc`; the name of the Service in a chart without a namespace
   */
  readonly serverName?: string;

  /**
   * Certificate of the CA that signed the certificate of the server, in the key `ca.crt` of a Secret or ConfigMap of the server's
   * namespace. A Secret by cert-manager has it: `FileSource.fromSecret('mlflow-tls', 'ca.crt')`.
   * @default - the CAs that the controller trusts
   */
  readonly ca?: FileSource;
}

const CA_KEY = 'ca.crt';

/** Validates the options at `prop`. */
export function checkBackendTls(
  problems: Problems,
  prop: string,
  { serverName, ca }: BackendTlsOptions,
  hasCertificate: boolean,
): void {
  if (!hasCertificate && (serverName !== undefined || ca !== undefined)) {
    problems.say(
      `\`${prop}\` must have neither \`serverName\` nor \`ca\` without \`certificate\`: the server answers HTTP.`,
      'Set the `certificate` of the server, or leave them out.',
    );
  }
  if (serverName !== undefined) {
    checkHostName(problems, `${prop}.serverName`, serverName);
  }
  ca?._check(problems, `${prop}.ca`);
  if (ca !== undefined && ca._reference.key !== CA_KEY) {
    problems.add(`${prop}.ca`, `must be in the key ${CA_KEY}, the only one that controllers read`, ca._reference.key);
  }
}

/** The name in the certificate: by default that of the Service in the cluster. */
export function serverNameOf({ serverName }: BackendTlsOptions, service: kplus.Service): string {
  const { namespace } = Chart.of(service);
  return serverName ?? (namespace === undefined ? service.name : `${service.name}.${namespace}.svc`);
}
