import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { mountConfigFiles } from '../../kube/pod/config-files';
import type { PodPart } from '../../kube/pod/pod-part';
import type { ObjectLabels } from '../../kube/pod/labels';
import { scriptsNamed } from '../../scripts/scripts';

import type { PgBouncerTlsOptions } from './pg-bouncer-props';
import { CONFIG_FOLDER, SECRET_FOLDER } from './pooler-config';

/** The command that writes the login and the address of the database. */
export const WRITE_COMMAND = ['python', `${CONFIG_FOLDER}/write_userlist.py`];

/** Where the certificate for clients is, as PgBouncer reads it. */
export const CLIENT_TLS_FILES = {
  certificate: '/etc/client-tls/certificate/tls.crt',
  privateKey: '/etc/client-tls/key/tls.key',
};

/** The configuration and the script as a volume. The ConfigMap is named by its content, so that a change replaces the pods. */
export function configMount(scope: Construct, labels: ObjectLabels, config: string): kplus.VolumeMount {
  return mountConfigFiles(scope, 'config', labels, {
    name: `${scope.node.id}-config`,
    volumeName: 'config',
    path: CONFIG_FOLDER,
    data: { 'pgbouncer.ini': config, ...scriptsNamed('write_userlist.py') },
  });
}

/** A folder in memory, from the container that writes the login to the one that reads it. */
export function secretMount(scope: Construct): kplus.VolumeMount {
  const volume = kplus.Volume.fromEmptyDir(scope, 'secrets', 'secrets', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(1),
  });
  return { path: SECRET_FOLDER, volume };
}

/** The certificate for clients. */
export function clientTlsPart(scope: Construct, tls: PgBouncerTlsOptions | undefined): PodPart {
  return {
    of: 'clientTls',
    volumeMounts: tls && [
      {
        path: '/etc/client-tls/certificate',
        volume: tls.certificate._volume(scope, 'client-tls-certificate', 'tls.crt'),
        readOnly: true,
      },
      {
        path: '/etc/client-tls/key',
        volume: tls.privateKey._volume(scope, 'client-tls-key', 'tls.key'),
        readOnly: true,
      },
    ],
  };
}
