import { member, mlflow, textMap, value } from '../../../code/code';

import { readVariableList } from '../../variables';
import { setImage } from '../../parts/image';
import {
  addEnvironmentSources,
  addToPod,
  manifest,
  setPlacement,
  setPodOptions,
  setResources,
  spreadConstraints,
} from '../../parts/pod';
import { setAutoscaling, setReplicas } from '../../parts/scaling';
import type { Rule } from '../../rule';
import { readArgumentList } from '../../server-options';

const DIAGNOSTICS = 'For diagnosis, `server.runbook()` prints commands, and `logLevel: LogLevel.DEBUG` shows more.';
const RESTRICTED =
  'The pods run as user 1001, without privileges or capabilities, on a read-only root file system. `ClusterSettings` chooses another user.';
const ON_POD = 'cdk8s-plus has it, or a JSON patch: go on from `server.deployment`.';

/** The pods of the server. */
export const POD_RULES: readonly Rule[] = [
  {
    keys: '{global.imageRegistry,image.{registry,repository,tag,digest}}',
    convert: (values, release) => {
      const repository = values.text('image.repository');
      const registry = values.text('image.registry') ?? values.text('global.imageRegistry');
      setImage(release, ['image'], {
        repository: repository === undefined ? undefined : [registry ?? 'docker.io', repository].join('/'),
        tag: values.text('image.tag'),
        digest: values.text('image.digest'),
      });
      const forAll = values.text('global.imageRegistry');
      // Without a repository, a registry of its own is one that has Bitnami's images.
      const own = repository === undefined ? values.text('image.registry') : undefined;
      const mirror = forAll ?? (own === 'docker.io' ? undefined : own);
      if (mirror !== undefined) {
        release.note(
          'to do',
          forAll === undefined ? 'image.registry' : 'global.imageRegistry',
          `\`ClusterSettings.of(this).apply({ imageRegistry: ImageRegistry.mirror('${mirror}') })\` takes all images from a mirror.`,
        );
      }
    },
  },
  {
    keys: '{image.{pullPolicy,pullSecrets},global.imagePullSecrets,tracking.priorityClassName}',
    convert: (values, release) => {
      setPodOptions(values, release, {
        policy: 'image.pullPolicy',
        secrets: ['global.imagePullSecrets', 'image.pullSecrets'],
        priority: 'tracking.priorityClassName',
      });
    },
  },
  {
    keys: '{gitImage,waitContainer,volumePermissions}.**',
    leaveOut: 'The check and the migration run in the image of the server, and fsGroup gives the volume to its user.',
  },
  {
    keys: '{nameOverride,fullnameOverride,namespaceOverride}',
    leaveOut: "The name of the release is the id of the server's construct, its namespace that of the chart.",
  },
  { keys: '{kubeVersion,apiVersions}', leaveOut: 'The manifests do not depend on them.' },
  {
    keys: 'clusterDomain',
    doInstead: '`ClusterSettings.of(this).apply({ clusterDomain })`, if it is not cluster.local.',
  },
  { keys: 'global.security.allowInsecureImages', leaveOut: 'A setting of Bitnami for images that are not its own.' },
  {
    keys: 'global.compatibility.openshift.adaptSecurityContext',
    doInstead: 'On OpenShift: `ClusterSettings.of(this).apply(…)` with PodUser.assignedByCluster() (docs/clusters.md).',
  },
  {
    keys: 'extraDeploy',
    doInstead:
      'Objects of your own: write them as constructs, or with `new Include(this, id, { url })` of cdk8s from a file.',
  },
  {
    keys: '{commonLabels,commonAnnotations}',
    convert: (values, release) => {
      const labels = values.textMap('commonLabels');
      const annotations = values.textMap('commonAnnotations');
      if (Object.keys(labels).length > 0) {
        release.setForPods('podLabels', textMap(labels));
        release.note(
          'to do',
          'commonLabels',
          'The pods have them. `super(scope, id, { labels })` of the chart puts them on all other objects.',
        );
      }
      for (const [name, text] of Object.entries(annotations)) {
        release.addAnnotation(name, text);
      }
      if (Object.keys(annotations).length > 0) {
        release.note(
          'to do',
          'commonAnnotations',
          'The Deployment has them: add them to other objects that need them.',
        );
      }
    },
  },
  { keys: '{diagnosticMode.{enabled,command,args},image.debug}', leaveOut: DIAGNOSTICS },
  {
    keys: 'tracking.{extraEnvVars,extraEnvVarsCM,extraEnvVarsSecret}',
    convert: (values, release) => {
      readVariableList(values, release, 'tracking.extraEnvVars');
      const configMap = values.text('tracking.extraEnvVarsCM');
      const secret = values.text('tracking.extraEnvVarsSecret');
      addEnvironmentSources(release, 'tracking.extraEnvVarsSecret', [
        ...(configMap === undefined ? [] : [{ configMapRef: { name: configMap } }]),
        ...(secret === undefined ? [] : [{ secretRef: { name: secret } }]),
      ]);
    },
  },
  {
    keys: 'tracking.extraArgs',
    convert: (values, release) => {
      readArgumentList(release, 'tracking.extraArgs', values.texts('tracking.extraArgs'));
    },
  },
  {
    keys: 'tracking.{command,args}',
    doInstead: 'The library writes the command of the server; `extraArgs` adds options.',
  },
  {
    keys: 'tracking.serviceAccount.{create,name,annotations}',
    convert: (values, release) => {
      release.serviceAccount = {
        isCreated: values.flag('tracking.serviceAccount.create', true),
        annotations: values.textMap('tracking.serviceAccount.annotations'),
        name: values.text('tracking.serviceAccount.name'),
      };
    },
  },
  {
    keys: 'tracking.{automountServiceAccountToken,serviceAccount.automountServiceAccountToken}',
    leaveOut: 'The pods mount no token: neither MLflow nor the identities of clouds need the one of the API server.',
  },
  {
    keys: 'tracking.{podLabels,podAnnotations,nodeSelector,tolerations,affinity}',
    convert: (values, release) => {
      setPlacement(values, release, {
        nodeSelector: 'tracking.nodeSelector',
        tolerations: 'tracking.tolerations',
        affinity: 'tracking.affinity',
        labels: 'tracking.podLabels',
        annotations: 'tracking.podAnnotations',
      });
    },
  },
  {
    keys: 'tracking.{podAffinityPreset,podAntiAffinityPreset,nodeAffinityPreset.{type,key,values}}',
    leaveOut: 'Several pods are spread over nodes and zones: `topologySpreadConstraints`.',
  },
  {
    keys: 'tracking.topologySpreadConstraints',
    convert: (values, release) => {
      const constraints = values.maps('tracking.topologySpreadConstraints');
      release.set(
        'topologySpreadConstraints',
        spreadConstraints(release, 'tracking.topologySpreadConstraints', constraints),
      );
    },
  },
  {
    keys: 'tracking.{extraVolumes,extraVolumeMounts,sidecars,initContainers}',
    convert: (values, release) => {
      addToPod(values, release, {
        volumes: 'tracking.extraVolumes',
        mounts: 'tracking.extraVolumeMounts',
        containers: 'tracking.sidecars',
        initContainers: 'tracking.initContainers',
      });
    },
  },
  {
    keys: 'tracking.{schedulerName,hostAliases}',
    convert: (values, release) => {
      const scheduler = values.text('tracking.schedulerName');
      const aliases = values.maps('tracking.hostAliases');
      if (scheduler !== undefined) {
        release.patch('/spec/template/spec/schedulerName', value(scheduler));
      }
      if (aliases.length > 0) {
        release.patch('/spec/template/spec/hostAliases', manifest(aliases));
      }
    },
  },
  {
    keys: 'tracking.resources',
    convert: (values, release) => {
      setResources(values, release, 'tracking.resources');
    },
  },
  {
    keys: 'tracking.resourcesPreset',
    leaveOut: 'The app has requests and limits of its own: 500 millicores and 1 GiB, at most 2 CPUs and 2 GiB.',
  },
  {
    keys: 'tracking.autoscaling.hpa.{enabled,minReplicas,maxReplicas,targetCPU,targetMemory}',
    convert: (values, release) => {
      const at = (key: string): string => `tracking.autoscaling.hpa.${key}`;
      if (values.flag(at('enabled'))) {
        release.replicasKey = 'tracking.autoscaling.hpa';
        setAutoscaling(release, {
          keys: ['tracking.autoscaling.hpa'],
          minReplicas: values.whole(at('minReplicas')),
          maxReplicas: values.whole(at('maxReplicas')) ?? values.whole(at('minReplicas')) ?? 2,
          cpuPercent: values.whole(at('targetCPU')),
          memoryPercent: values.whole(at('targetMemory')),
        });
      }
    },
  },
  {
    keys: 'tracking.autoscaling.vpa.{enabled,annotations,controlledResources,maxAllowed,minAllowed,updatePolicy.updateMode}',
    doInstead:
      'No counterpart of a VerticalPodAutoscaler: add one as an ApiObject with `targetRef` on `server.deployment`.',
  },
  {
    keys: 'tracking.replicaCount',
    convert: (values, release) => {
      setReplicas(release, 'tracking.replicaCount', values.whole('tracking.replicaCount'));
    },
  },
  {
    keys: 'tracking.updateStrategy.{type,rollingUpdate}',
    convert: (values, release) => {
      if (values.text('tracking.updateStrategy.type') === 'Recreate') {
        release.set('upgradeStrategy', member(mlflow('UpgradeStrategy'), 'RECREATE'));
      }
      values.any('tracking.updateStrategy.rollingUpdate');
    },
  },
  {
    keys: 'tracking.pdb.{create,minAvailable,maxUnavailable}',
    leaveOut: 'Several pods have a PodDisruptionBudget by themselves.',
  },
  { keys: 'tracking.{terminationGracePeriodSeconds,lifecycleHooks}', doInstead: ON_POD },
  {
    keys: 'tracking.tmpVolume.ephemeral.{enabled,volumeClaimTemplate}',
    doInstead:
      '`ephemeralStorage` of `resources` limits the temporary files (20 GiB by default); a JSON patch puts them on a volume.',
  },
  {
    keys: 'tracking.enableDefaultInitContainers',
    leaveOut: '`databaseConnectionCheck` and `databaseMigration` say whether the pods check and migrate.',
  },
  { keys: 'tracking.runUpgradeDB', leaveOut: 'The app migrates by default, under a lock.' },
  {
    keys: 'tracking.{podSecurityContext,containerSecurityContext}.**',
    leaveOut: RESTRICTED,
  },
  {
    keys: 'tracking.{livenessProbe,readinessProbe,startupProbe,customLivenessProbe,customReadinessProbe,customStartupProbe}.**',
    leaveOut: 'The app has probes of its own, on /health: the chart only looks for a process or a port.',
  },
  {
    keys: 'tracking.{customLivenessProbe,customReadinessProbe,customStartupProbe}',
    leaveOut: 'The app has probes of its own, on /health.',
  },
  { keys: 'tracking.host', leaveOut: 'The server listens on all addresses of its pod.' },
  { keys: 'tracking.containerPorts.http', leaveOut: 'The port of the pods is 5000.' },
  {
    keys: 'tracking.enabled',
    convert: (values, release) => {
      if (!values.flag('tracking.enabled', true)) {
        release.note('to do', 'tracking.enabled', 'The release has no tracking server, which is what the app makes.');
      }
    },
  },
  {
    keys: 'run.**',
    doInstead:
      'The library runs the tracking server. A Job or a Deployment of cdk8s-plus runs your project, with `trackingUri` of the server.',
  },
];
