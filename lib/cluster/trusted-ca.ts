import type { FileSource } from '../kube/values/file-source';
import { CA_BUNDLE_VARIABLES } from '../identity/ca-bundle-variables';
import { scriptText } from '../scripts/scripts';

import { addVariables, containersOf, type ManifestContainer, type ManifestPod } from './manifest';

const NAME = 'trusted-ca';
const FOLDER = '/etc/trusted-ca';
const BUNDLE_NAME = 'ca-bundle';
const BUNDLE_FOLDER = '/run/ca-bundle';
const BUNDLE = `${BUNDLE_FOLDER}/ca-certificates.crt`;

/** Makes all containers of a pod trust CAs besides those of their images. */
export function trustCa(pod: ManifestPod, source: FileSource): void {
  const mount = { mountPath: FOLDER, name: NAME, readOnly: true };
  const pythons = containersOf(pod).filter(runsPython);
  for (const container of containersOf(pod)) {
    // Go reads folders besides the file of the image. OpenSSL finds only files that are named by a hash.
    addVariables(container, [{ name: 'SSL_CERT_DIR', value: `/etc/ssl/certs:${FOLDER}` }]);
    addMount(container, mount);
  }
  pod.spec.volumes = [...(pod.spec.volumes ?? []), source._volumeIn(NAME, 'ca.crt')];
  const [first] = pythons;
  if (first === undefined) {
    return;
  }
  for (const container of pythons) {
    addVariables(
      container,
      CA_BUNDLE_VARIABLES.map((name) => ({ name, value: BUNDLE })),
    );
    addMount(container, { mountPath: BUNDLE_FOLDER, name: BUNDLE_NAME, readOnly: true });
  }
  pod.spec.initContainers = [bundler(first, mount), ...(pod.spec.initContainers ?? [])];
  pod.spec.volumes.push({ emptyDir: { sizeLimit: '4Mi' }, name: BUNDLE_NAME });
}

/** Python's libraries take one file instead of all CAs that they know, so it holds those of the image, too. */
function bundler({ image, imagePullPolicy, securityContext }: ManifestContainer, mount: unknown): ManifestContainer {
  return {
    command: ['python', '-c', scriptText('write_ca_bundle.py'), `${FOLDER}/ca.crt`, BUNDLE],
    image,
    imagePullPolicy,
    name: 'write-ca-bundle',
    resources: {
      limits: { cpu: '500m', 'ephemeral-storage': '64Mi', memory: '128Mi' },
      requests: { cpu: '10m', 'ephemeral-storage': '16Mi', memory: '32Mi' },
    },
    securityContext,
    volumeMounts: [mount, { mountPath: BUNDLE_FOLDER, name: BUNDLE_NAME }],
  };
}

function runsPython({ command: [program = ''] = [] }: ManifestContainer): boolean {
  return ['python', 'python3', 'mlflow'].includes(program);
}

function addMount(container: ManifestContainer, mount: unknown): void {
  container.volumeMounts = [...(container.volumeMounts ?? []), mount];
}
