import type { Rule } from '../rule';

const RESTRICTED =
  'Always so in the app: user 1001, no privileges, no capabilities, a read-only root file system, seccomp.';
const OWN_OBJECTS = 'cdk8s-plus has it: go on from `postgres.primary`, the StatefulSet of the construct.';

/** Keys of Bitnami's PostgreSQL chart, a sub-chart below `at`. What `setBitnamiPostgres` reads is in the first rule. */
export function POSTGRESQL_RULES(at: string): readonly Rule[] {
  const below = (rule: Rule): Rule => ({ ...rule, keys: `${at}.${rule.keys}` });
  return [
    {
      // They are read by the rule of `enabled`.
      keys: '{architecture,auth.{username,database,existingSecret,secretKeys.{adminPasswordKey,userPasswordKey,replicationPasswordKey}},primary.{name,service.ports.postgresql,resources,persistence.{enabled,existingClaim,storageClass,accessModes,size}},readReplicas.{name,replicaCount},fullnameOverride,nameOverride}',
      convert: () => undefined,
    },
    {
      keys: 'auth.{password,postgresPassword,replicationPassword}',
      leaveOut: 'Passwords are in a Secret, by name: the comment of the app says how to make it.',
    },
    {
      keys: 'auth.{enablePostgresUser,replicationUsername,metricsUsername,metricsPassword,usePasswordFiles,secretKeys.metricsPasswordKey}',
      leaveOut: 'Passwords are files, replicas log in as the role of the image, and PostgresExporter as MLflow does.',
    },
    {
      keys: 'image.{repository,registry,tag,digest,pullPolicy,pullSecrets,debug}',
      doInstead:
        'Set `image` of BitnamiPostgres, if the data were not written by PostgreSQL 17 (the default, bitnamilegacy/postgresql:17.6.0-debian-12-r4): its major version must be that of the data.',
    },
    {
      keys: 'primary.initdb.**',
      doInstead: '`initScripts` of BitnamiPostgres takes SQL; they run only once, on an empty volume.',
    },
    {
      keys: '{primary,readReplicas}.{configuration,extendedConfiguration,pgHbaConfiguration,existingConfigmap,existingExtendedConfigmap}',
      doInstead: '`settings` and `maxConnections` of BitnamiPostgres have the settings of postgresql.conf.',
    },
    {
      keys: '{audit,replication}.**',
      doInstead: "`settings` of BitnamiPostgres, such as `{ log_connections: 'on' }`.",
    },
    {
      keys: 'postgresqlSharedPreloadLibraries',
      doInstead: '`settings: { shared_preload_libraries }` of BitnamiPostgres.',
    },
    {
      keys: 'tls.**',
      doInstead: 'The server of BitnamiPostgres has no certificate: an operator (CloudNativePostgres) has.',
    },
    { keys: 'ldap.**', doInstead: 'MLflow logs in with a password: leave it out, or use a database of your own.' },
    { keys: 'backup.**', doInstead: 'Add a PostgresBackup: dumps to a bucket or a volume, read back and counted.' },
    { keys: 'metrics.**', doInstead: 'Add a PostgresExporter and give it to MlflowMonitoring.' },
    { keys: 'passwordUpdateJob.**', doInstead: 'docs/databases.md says how a password is changed.' },
    { keys: '{primary,readReplicas}.{podSecurityContext,containerSecurityContext}.**', leaveOut: RESTRICTED },
    {
      keys: '{volumePermissions,shmVolume,serviceAccount,rbac,psp,serviceBindings,diagnosticMode}.**',
      leaveOut: 'fsGroup gives the volume to the pod, /dev/shm is in memory, and the ServiceAccount is of its own.',
    },
    {
      keys: '{primary,readReplicas}.{networkPolicy,pdb}.**',
      leaveOut: 'A NetworkPolicy lets in the pods that log in, and a PodDisruptionBudget keeps the server.',
    },
    {
      keys: '{primary,readReplicas}.{livenessProbe,readinessProbe,startupProbe,customLivenessProbe,customReadinessProbe,customStartupProbe}.**',
      leaveOut: 'The app has probes of its own.',
    },
    {
      keys: '{primary.resourcesPreset,readReplicas.resourcesPreset}',
      leaveOut: 'The app has requests and limits of its own: `resources`.',
    },
    {
      keys: 'readReplicas.{resources,persistence}.**',
      leaveOut: 'Read replicas have the resources and the persistence of the primary.',
    },
    {
      keys: 'primary.persistence.{volumeName,mountPath,subPath,annotations,labels,selector,dataSource}',
      doInstead: '`Persistence.existingClaim(name)` takes a claim that you have made as you want it.',
    },
    {
      keys: '{primary,readReplicas}.persistentVolumeClaimRetentionPolicy.**',
      leaveOut: 'Kubernetes keeps the claim: its default.',
    },
    { keys: '{primary,readReplicas}.**', doInstead: OWN_OBJECTS },
    {
      keys: '{kubeVersion,namespaceOverride,clusterDomain,commonLabels,commonAnnotations,extraDeploy,secretAnnotations,containerPorts.postgresql,postgresqlDataDir,global.**}',
      doInstead: OWN_OBJECTS,
    },
  ].map(below);
}
