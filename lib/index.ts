import * as library from '.';
import { checkCalls } from './validation/arguments';

export { MlflowServer } from './server/mlflow-server';
export type { IMlflowServer, MetricsEndpoint, MlflowServerAttributes } from './server/mlflow-server-reference';
export type { MlflowServerProps } from './server/mlflow-server-props';
export type { ConnectOptions } from './server/clients/connected-workload';
export { MlflowLogin } from './server/clients/mlflow-login';
export type { ServiceOptions } from './server/access/service-options';
export type { EndpointOptions } from './server/access/hosts';
export type { BackendTlsOptions } from './server/access/backend-tls';
export type { IngressOptions } from './server/access/ingress';
export { type AwsLoadBalancerOptions, IngressController, type UploadOptions } from './server/access/ingress-controller';
export type { GatewayReference, HttpRouteOptions } from './server/access/http-route';
export { Autoscaling } from './server/autoscaling/autoscaling';
export type { ScalingOptions } from './server/autoscaling/scaling-options';
export type { ResourceScalingOptions } from './server/autoscaling/pod-autoscaler';
export {
  type KedaOptions,
  KedaTrigger,
  type PrometheusTriggerOptions,
  type RequestTriggerOptions,
} from './server/autoscaling/keda';
export { UpgradeStrategy } from './server/settings/upgrade-strategy';
export { ReadinessCheck } from './server/settings/probes';
export { MlflowAuth } from './server/auth/mlflow-auth';
export { DefaultPermission, type BasicAuthOptions } from './server/auth/basic-auth';
export { CustomLogin, type CustomAuthOptions } from './server/auth/custom-auth';
export { SameSite, type OidcClientOptions, type SessionCookieOptions } from './server/auth/single-sign-on';
export type { OAuth2ProxyOptions } from './server/auth/oauth2-proxy-options';
export type { OidcAuthOptions } from './server/auth/oidc-auth';
export type { AiGatewayOptions } from './server/settings/ai-gateway';
export { JobExecution, type LocalJobOptions, type RedisJobOptions } from './server/settings/job-execution';
export type { EncryptionOptions } from './server/settings/encryption';
export { LogLevel } from './server/settings/log-level';
export type { RedisOptions } from './server/settings/redis-options';

export { MlflowObjects, type MlflowObjectsProps } from './objects/mlflow-objects';
export { MlflowExperiment, type MlflowExperimentProps } from './objects/mlflow-experiment';
export { MlflowRegisteredModel, type MlflowRegisteredModelProps } from './objects/mlflow-registered-model';
export {
  type GatewayModelOptions,
  MlflowGatewayEndpoint,
  type MlflowGatewayEndpointProps,
} from './objects/mlflow-gateway-endpoint';
export { MlflowUser, type MlflowUserProps } from './objects/mlflow-user';
export { MlflowServiceUser, type MlflowServiceUserProps } from './objects/mlflow-service-user';
export { MlflowPermission, type MlflowPermissionProps, PermissionLevel } from './objects/mlflow-permission';
export { PermissionTarget } from './objects/permission-target';
export { MlflowWorkspace, type MlflowWorkspaceProps } from './objects/mlflow-workspace';
export { MlflowWebhook, type MlflowWebhookProps } from './objects/mlflow-webhook';
export { WebhookEvent } from './objects/webhook-event';
export type { ObjectProps } from './objects/object-props';

export { ExternalPostgres, type ExternalPostgresProps } from './postgres/external/external-postgres';
export {
  ExistingSecretPostgres,
  type ConnectionSecretProps,
  type ExistingSecretPostgresProps,
} from './postgres/external/existing-secret-postgres';
export { BitnamiPostgres } from './postgres/bitnami/bitnami-postgres';
export type { BitnamiPostgresProps } from './postgres/bitnami/bitnami-postgres-props';
export { BitnamiArchitecture, type ReplicationOptions } from './postgres/bitnami/bitnami-architecture';
export {
  BitnamiPasswords,
  type BitnamiPasswordKeys,
  type BitnamiPasswordLiterals,
} from './postgres/bitnami/bitnami-passwords';
export { PgBouncer } from './postgres/pg-bouncer/pg-bouncer';
export type {
  PgBouncerMetricsOptions,
  PgBouncerProps,
  PgBouncerTlsOptions,
} from './postgres/pg-bouncer/pg-bouncer-props';
export { PoolMode, type PoolerOptions } from './postgres/capacity/pooler-options';
export { CloudNativePostgres } from './postgres/cloud-native/cloud-native-postgres';
export {
  type CloudNativeDatabaseOptions,
  CloudNativeDurability,
  type CloudNativePluginOptions,
  type CloudNativePodMonitorOptions,
  type CloudNativePoolerOptions,
  type CloudNativePostgresProps,
  type CloudNativeStorageOptions,
  type CloudNativeSynchronousOptions,
} from './postgres/cloud-native/cloud-native-postgres-props';

export { PostgresDatabase, type PostgresDatabaseProps } from './postgres/database/postgres-database';
export { CloudSqlPostgres } from './postgres/cloud-sql/cloud-sql-postgres';
export { CloudSqlIpType, type CloudSqlPostgresProps } from './postgres/cloud-sql/cloud-sql-postgres-props';
export { CloudSqlLogin } from './postgres/cloud-sql/cloud-sql-login';
export { RdsPostgres } from './postgres/rds/rds-postgres';
export type { RdsPostgresProps } from './postgres/rds/rds-postgres-props';

export { AwsIdentity, type AwsIdentityOptions, type AwsSecretKeysOptions } from './identity/aws-identity';
export { AzureIdentity, type AzureIdentityOptions } from './identity/azure-identity';
export { GoogleIdentity } from './identity/google-identity';

export type { IPostgresBackend } from './postgres/connection/postgres-backend';
export { PostgresConnection, type PostgresConnectionProps } from './postgres/connection/postgres-connection';
export {
  ConnectionFailure,
  type ConnectionFailureCause,
  type ConnectionSidecar,
  type PasswordFile,
} from './postgres/connection/connection-sidecar';
export type { EndpointProps, ExternalEndpointProps } from './postgres/connection/endpoint';
export {
  PostgresCredentials,
  type LiteralCredentials,
  type PostgresCredentialsProps,
  type SecretKeysOptions,
} from './postgres/connection/postgres-credentials';
export { type FullyVerifiedTlsOptions, PostgresTls, type VerifiedTlsOptions } from './postgres/connection/postgres-tls';
export type { ConnectionOptions, LibpqOptions } from './postgres/connection/connection-options';
export type { TcpKeepaliveOptions } from './postgres/connection/tcp-keepalive';
export type { SchemaOptions } from './postgres/connection/schema';
export { PoolingProfile, type FittingOptions, type PoolingProfileProps } from './postgres/capacity/pooling-profile';

export { ClusterSettings } from './cluster/cluster-settings';
export { type ClusterOptions, IpFamilies, LogFormat } from './cluster/cluster-options';
export { ScriptFormat } from './scripts/scripts';
export { MlflowTesting } from './scripts/mlflow-testing';
export { HttpProxy, type HttpProxyOptions } from './cluster/http-proxy';
export { DefaultImages } from './images';
export { ImageRegistry } from './cluster/image-registry';
export { PodUser } from './cluster/pod-user';
export { Rules } from './rules/rules';
export { Diagram } from './diagram/diagram';

export { DatabaseConnectionCheck, type DatabaseConnectionCheckOptions } from './startup/database-connection-check';
export {
  DatabaseMigration,
  type DatabaseMigrationJobOptions,
  type DatabaseMigrationOptions,
} from './startup/database-migration';

export { PostgresBackup } from './operations/backup/postgres-backup';
export type { BackupRetention, PostgresBackupProps } from './operations/backup/postgres-backup';
export { MigrationRollback, type MigrationRollbackProps } from './operations/backup/migration-rollback';
export { PostgresRestore, type PostgresRestoreProps } from './operations/backup/postgres-restore';
export { DatabaseMove, type DatabaseMoveProps } from './operations/database-move';
export { BackupLocation, type BackupBucketProps } from './artifacts/backup-location';
export { SqliteImport, type SqliteImportProps } from './operations/imports/sqlite-import';
export { MySqlImport, type MySqlImportProps } from './operations/imports/mysql-import';
export { ArtifactRelocation, ExistingFiles, type ArtifactRelocationProps } from './operations/artifact-relocation';
export { FileStoreImport, type FileStoreImportProps } from './operations/imports/file-store-import';
export { FileStoreSource } from './operations/imports/file-store-source';
export type { ImportProps } from './operations/imports/import-job';
export { SqliteSource } from './operations/imports/sqlite-source';
export { MySqlSource, type MySqlSourceProps } from './operations/imports/mysql-source';
export { MySqlTls, type MySqlVerifiedTlsOptions } from './operations/imports/mysql-tls';
export type { ArtifactLocationRule } from './operations/artifact-location-rule';
export { ExistingData, FileStoreRepair, MySqlRepair, SqliteRepair } from './operations/imports/import-choices';
export { WorkingCopy, type EmptyDirCopyOptions, type EphemeralCopyOptions } from './operations/working-copy';
export type { IScheduledOperation, ScheduledProps } from './operations/scheduled';
export type { OperationProps, ServerOperationProps } from './operations/operation';

export { ArtifactVisibility, type ArtifactLocation, type IArtifactStore } from './artifacts/artifact-store';
export type { TraceArchivalOptions } from './artifacts/trace-archival';
export { ArtifactAccess } from './artifacts/object-store';
export { ArtifactTransfers } from './artifacts/artifact-transfers';
export {
  AzureBlobArtifacts,
  AzureBlobCredentials,
  type AzureBlobArtifactsProps,
} from './artifacts/azure-blob-artifacts';
export { GcsArtifacts, type GcsArtifactsProps } from './artifacts/gcs-artifacts';
export { S3Artifacts, type S3ArtifactsProps } from './artifacts/s3-artifacts';
export { S3Addressing, type S3BucketProps } from './artifacts/s3-bucket';
export { VolumeArtifacts, type VolumeArtifactsProps } from './artifacts/volume-artifacts';

export {
  ExternalSecret,
  type ExternalSecretProps,
  type RemoteSecretKey,
  SecretStoreReference,
} from './kube/values/external-secret';
export { MlflowMonitoring } from './monitoring/mlflow-monitoring';
export type { MlflowMonitoringProps } from './monitoring/mlflow-monitoring-props';
export { MlflowAlert } from './monitoring/mlflow-alert';
export type { AlertThresholds } from './monitoring/alert-thresholds';
export { AlertSeverity, type AlertRule } from './monitoring/alert-rule';
export {
  PrometheusScrape,
  type PrometheusScrapeOptions,
  type Relabeling,
  type ScrapeTlsOptions,
} from './monitoring/prometheus-scrape';
export { PostgresExporter, type PostgresExporterProps } from './monitoring/postgres-exporter';

export { TlsCertificate } from './kube/values/tls-certificate';
export { FileSource } from './kube/values/file-source';
export { SinglePassApp } from './kube/single-pass-app';
export type { PodOptions } from './kube/pod/pod-options';
export { SecretKey } from './kube/values/secret-key';
export { Persistence, type ExistingClaimOptions, type NewClaimOptions } from './kube/values/persistence';

export type { IsolationOptions } from './kube/network/isolation';
export { NetworkPeer } from './kube/network/network-peer';
export type { NetworkRoute } from './kube/network/network-route';
export type { ServerIsolationOptions } from './server/access/server-isolation';
export { MlflowTraceArchival, type MlflowTraceArchivalProps } from './operations/mlflow-trace-archival';
export { DatabaseBootstrap, type DatabaseBootstrapProps } from './operations/database-bootstrap';
export { MlflowGarbageCollection, type MlflowGarbageCollectionProps } from './operations/mlflow-garbage-collection';

checkCalls(library);
