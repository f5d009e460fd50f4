import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { container, type ContainerOptions } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { texts } from '../../kube/values/env-values';
import { scriptText } from '../../scripts/scripts';

const FILE = 'ca-certificates.crt';

const RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(10), limit: kplus.Cpu.millis(500) },
  memory: { request: Size.mebibytes(32), limit: Size.mebibytes(128) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** An image with Python and the CAs of the system: MLflow's. */
export type SystemCaImage = Pick<ContainerOptions, 'image' | 'imagePullPolicy'>;

/**
 * The CAs of the system as a file for libpq and PgBouncer, which an init container writes.
 *
 * Not libpq's `sslrootcert=system`: libpq 15 and PgBouncer do not know it, the OpenSSL within psycopg2 has no CAs, and nor has
 * the image of PostgreSQL. With `trustedCa` of ClusterSettings, Python's CAs are those of the image and of the cluster.
 */
export function systemCaPart(scope: Construct, name: string, { image, imagePullPolicy }: SystemCaImage): PodPart {
  const volume = kplus.Volume.fromEmptyDir(scope, `${name}-system-ca`, `${name}-system-ca`, {
    sizeLimit: Size.mebibytes(4),
  });
  const path = `/run/${name}-system-ca`;
  return {
    envVariables: texts({ PGSSLROOTCERT: `${path}/${FILE}` }),
    volumeMounts: [{ path, volume, readOnly: true }],
    initContainers: [
      container(`write-${name}-system-ca`, [{ volumeMounts: [{ path, volume }] }], {
        image,
        imagePullPolicy,
        command: ['python', '-c', scriptText('write_ca_bundle.py'), `${path}/${FILE}`],
        resources: RESOURCES,
      }),
    ],
  };
}
