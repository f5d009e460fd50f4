import { member, mlflow } from '../../../code/code';

import { readVariableList } from '../../variables';
import { setImage } from '../../parts/image';
import { addEnvironmentSources, addToPod, setPlacement, setPodOptions, setResources } from '../../parts/pod';
import { setReplicas } from '../../parts/scaling';
import type { Rule } from '../../rule';
import { readFlags } from '../../server-options';

/** The pods of the server. */
export const POD_RULES: readonly Rule[] = [
  {
    keys: 'image.{repository,tag}',
    convert: (values, release) => {
      setImage(release, ['image'], { repository: values.text('image.repository'), tag: values.text('image.tag') });
    },
  },
  {
    keys: '{image.pullPolicy,imagePullSecrets}',
    convert: (values, release) => {
      setPodOptions(values, release, { policy: 'image.pullPolicy', secrets: ['imagePullSecrets'] });
    },
  },
  { keys: 'fullnameOverride', leaveOut: "The name of the release is the id of the server's construct." },
  {
    keys: 'server.{value_options.**,flag_options,staticPrefix}',
    convert: (values, release) => {
      for (const [name, text] of Object.entries(values.textMap('server.value_options'))) {
        if (name !== 'host' && name !== 'port') {
          release.arguments.add(name, 'server.value_options', text);
        }
      }
      readFlags(release, 'server.flag_options', values.texts('server.flag_options'));
      const prefix = values.text('server.staticPrefix');
      if (prefix !== undefined) {
        release.arguments.add('static-prefix', 'server.staticPrefix', prefix);
      }
    },
  },
  {
    keys: 'env',
    convert: (values, release) => {
      readVariableList(values, release, 'env');
    },
  },
  {
    keys: 'envFrom',
    convert: (values, release) => {
      addEnvironmentSources(release, 'envFrom', values.maps('envFrom'));
    },
  },
  {
    keys: 'serviceAccount.{create,name,annotations}',
    convert: (values, release) => {
      release.serviceAccount = {
        isCreated: values.flag('serviceAccount.create', true),
        annotations: values.textMap('serviceAccount.annotations'),
        name: values.text('serviceAccount.name'),
      };
    },
  },
  {
    keys: 'serviceAccount.automountServiceAccountToken',
    leaveOut: 'The pods mount no token: neither MLflow nor the identities of clouds need the one of the API server.',
  },
  {
    keys: '{podAnnotations,podLabels,nodeSelector,tolerations,affinity}',
    convert: (values, release) => {
      setPlacement(values, release, {
        nodeSelector: 'nodeSelector',
        tolerations: 'tolerations',
        affinity: 'affinity',
        labels: 'podLabels',
        annotations: 'podAnnotations',
      });
    },
  },
  {
    keys: '{extraVolumes,extraVolumeMounts,extraInitContainers,extraContainers}',
    convert: (values, release) => {
      addToPod(values, release, {
        volumes: 'extraVolumes',
        mounts: 'extraVolumeMounts',
        containers: 'extraContainers',
        initContainers: 'extraInitContainers',
      });
    },
  },
  {
    keys: 'resources',
    convert: (values, release) => {
      setResources(values, release, 'resources');
    },
  },
  {
    keys: 'replicaCount',
    convert: (values, release) => {
      setReplicas(release, 'replicaCount', values.whole('replicaCount'));
    },
  },
  {
    keys: 'deploymentStrategy',
    convert: (values, release) => {
      const { type } = values.map('deploymentStrategy');
      if (type === 'Recreate') {
        release.set('upgradeStrategy', member(mlflow('UpgradeStrategy'), 'RECREATE'));
      } else if (type !== undefined) {
        release.note(
          'left out',
          'deploymentStrategy',
          'UpgradeStrategy.ROLLING adds one pod at a time and removes none before it is ready.',
        );
      }
    },
  },
  {
    keys: 'probes.{liveness,readiness,startup}.{enabled,initialDelaySeconds,periodSeconds,timeoutSeconds,failureThreshold}',
    leaveOut:
      'The app has probes of its own: a startup probe waits as long as a start takes, so that the others need no delay; /health answers in milliseconds while all threads are busy.',
  },
  {
    keys: '{podSecurityContext,securityContext}.**',
    leaveOut:
      'The pods run as user 1001, without privileges or capabilities, on a read-only root file system. `ClusterSettings.of(server).apply({ podUser: PodUser.fromId(…) })` chooses another user.',
  },
  // The keys that the chart has by default.
  { keys: '{podSecurityContext,securityContext}', leaveOut: 'The app has security contexts of its own.' },
  {
    keys: '{namespace_rbac,cluster_rbac}.extraRules',
    doInstead:
      'MLflow needs no access to the API server: add a Role of cdk8s-plus where code of yours in the image does.',
  },
];
