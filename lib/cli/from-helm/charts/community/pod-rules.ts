import { member, mlflow, value } from '../../../code/code';

import { readVariableMap } from '../../variables';
import { setImage } from '../../parts/image';
import { addEnvironmentSources, addToPod, setPlacement, setPodOptions, setResources } from '../../parts/pod';
import { readMetrics, scalingRules, setAutoscaling, setReplicas } from '../../parts/scaling';
import type { Rule } from '../../rule';
import { readFlags } from '../../server-options';
import { takenVolumes } from './artifact-rules';

const RESTRICTED =
  'Always so in the app: no privileges, no capabilities, a read-only root file system, seccomp (the Pod Security Standard "restricted").';

/** The pods of the server. */
export const POD_RULES: readonly Rule[] = [
  {
    keys: 'image.{repository,tag,digest}',
    convert: (values, release) => {
      setImage(release, ['image'], {
        repository: values.text('image.repository'),
        tag: values.text('image.tag'),
        digest: values.text('image.digest'),
      });
    },
  },
  {
    keys: '{image.pullPolicy,imagePullSecrets,priorityClassName}',
    convert: (values, release) => {
      setPodOptions(values, release, {
        policy: 'image.pullPolicy',
        secrets: ['imagePullSecrets'],
        priority: 'priorityClassName',
      });
    },
  },
  {
    keys: 'initImages.{dbchecker,mlflowDbMigration,iniFileInitializer}.{repository,pullPolicy,tag}',
    leaveOut: 'The check and the migration run in the image of the server.',
  },
  { keys: '{nameOverride,fullnameOverride}', leaveOut: "The name of the release is the id of the server's construct." },
  {
    keys: 'extraEnvVars',
    convert: (values, release) => {
      readVariableMap(values, release, 'extraEnvVars');
    },
  },
  {
    keys: '{extraArgs,extraFlags}',
    convert: (values, release) => {
      Object.entries(values.textMap('extraArgs')).forEach(([name, text]) => {
        release.arguments.add(name, 'extraArgs', text);
      });
      readFlags(release, 'extraFlags', values.texts('extraFlags'));
    },
  },
  {
    keys: 'extraSecretNamesForEnvFrom',
    convert: (values, release) => {
      const names = values.texts('extraSecretNamesForEnvFrom');
      addEnvironmentSources(
        release,
        'extraSecretNamesForEnvFrom',
        names.map((name) => ({ secretRef: { name } })),
      );
    },
  },
  {
    keys: 'serviceAccount.{create,annotations,name}',
    convert: (values, release) => {
      release.serviceAccount = {
        isCreated: values.flag('serviceAccount.create', true),
        annotations: values.textMap('serviceAccount.annotations'),
        name: values.text('serviceAccount.name'),
      };
    },
  },
  {
    keys: 'serviceAccount.automount',
    leaveOut: 'The pods mount no token: neither MLflow nor the identities of clouds need the one of the API server.',
  },
  {
    keys: '{nodeSelector,tolerations,affinity,extraPodLabels,podAnnotations}',
    convert: (values, release) => {
      setPlacement(values, release, {
        nodeSelector: 'nodeSelector',
        tolerations: 'tolerations',
        affinity: 'affinity',
        labels: 'extraPodLabels',
        annotations: 'podAnnotations',
      });
    },
  },
  {
    keys: '{extraVolumes,extraVolumeMounts,extraContainers,initContainers}',
    convert: (values, release) => {
      const keys = {
        volumes: 'extraVolumes',
        mounts: 'extraVolumeMounts',
        containers: 'extraContainers',
        initContainers: 'initContainers',
      };
      addToPod(values, release, keys, takenVolumes(values));
    },
  },
  {
    keys: 'resources',
    convert: (values, release) => {
      setResources(values, release, 'resources');
    },
  },
  {
    keys: 'autoscaling.{enabled,minReplicas,maxReplicas,metrics,behavior}',
    convert: (values, release) => {
      if (values.flag('autoscaling.enabled')) {
        const metrics = values.has('autoscaling.metrics')
          ? readMetrics(release, 'autoscaling.metrics', values.maps('autoscaling.metrics'))
          : { cpuPercent: 80, memoryPercent: 80 };
        const { scaleUp, scaleDown } = values.map('autoscaling.behavior');
        setAutoscaling(release, {
          keys: ['autoscaling'],
          minReplicas: values.whole('autoscaling.minReplicas') ?? 1,
          maxReplicas: values.whole('autoscaling.maxReplicas') ?? 5,
          ...metrics,
          scaleUp: scalingRules(scaleUp),
          scaleDown: scalingRules(scaleDown),
        });
        release.replicasKey = 'autoscaling';
      }
    },
  },
  {
    keys: 'replicaCount',
    convert: (values, release) => {
      setReplicas(release, 'replicaCount', values.whole('replicaCount'));
    },
  },
  {
    keys: 'strategy.{type,rollingUpdate.{maxSurge,maxUnavailable}}',
    convert: (values, release) => {
      const type = values.text('strategy.type');
      if (type === 'Recreate') {
        release.set('upgradeStrategy', member(mlflow('UpgradeStrategy'), 'RECREATE'));
      }
      if (
        values.any('strategy.rollingUpdate.maxSurge') !== undefined ||
        values.any('strategy.rollingUpdate.maxUnavailable') !== undefined
      ) {
        release.note(
          'left out',
          'strategy.rollingUpdate',
          'UpgradeStrategy.ROLLING adds one pod at a time and removes none before it is ready.',
        );
      }
    },
  },
  {
    keys: 'revisionHistoryLimit',
    convert: (values, release) => {
      const limit = values.whole('revisionHistoryLimit');
      if (limit !== undefined) {
        release.patch('/spec/revisionHistoryLimit', value(limit));
      }
    },
  },
  {
    keys: 'deploymentAnnotations',
    convert: (values, release) => {
      for (const [name, text] of Object.entries(values.textMap('deploymentAnnotations'))) {
        release.addAnnotation(name, text);
      }
    },
  },
  {
    keys: 'log.{enabled,level}',
    convert: (values, release) => {
      const level = values.text('log.level')?.toUpperCase();
      if (values.flag('log.enabled', true) && level !== undefined && level !== 'INFO') {
        const known = ['DEBUG', 'WARNING', 'ERROR', 'CRITICAL'].includes(level);
        if (known) {
          release.set('logLevel', member(mlflow('LogLevel'), level));
        } else {
          values.problem('log.level', 'debug, info, warning, error or critical', level.toLowerCase());
        }
      }
    },
  },
  {
    keys: 'telemetry.enabled',
    convert: (values, release) => {
      release.set('telemetry', values.flag('telemetry.enabled') ? value(true) : undefined);
    },
  },
  {
    keys: '{podSecurityContext.fsGroup,securityContext.{runAsUser,runAsGroup}}',
    leaveOut:
      'The pods run as user and group 1001. `ClusterSettings.of(server).apply({ podUser: PodUser.fromId(…) })` chooses another, `.assignedByCluster()` leaves it to OpenShift.',
  },
  {
    keys: '{podSecurityContext.fsGroupChangePolicy,securityContext.{allowPrivilegeEscalation,readOnlyRootFilesystem,runAsNonRoot,privileged,seccompProfile,capabilities.drop,capabilities.add},podSecurityContext.{runAsNonRoot,runAsUser,runAsGroup,seccompProfile,supplementalGroups,sysctls}}',
    leaveOut: RESTRICTED,
  },
  {
    keys: '{livenessProbe,readinessProbe}.**',
    leaveOut:
      'The app has probes of its own: a startup probe waits as long as a start takes, so that the others need no delay; /health answers in milliseconds while all threads are busy.',
  },
  {
    keys: 'extraDeploy',
    doInstead:
      'Objects of your own: write them as constructs, or with `new Include(this, id, { url })` of cdk8s from a file.',
  },
];
