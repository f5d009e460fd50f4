export { MlflowServer } from './server/mlflow-server';
export type { MlflowServerProps } from './server/mlflow-server-props';
export type { ServiceOptions } from './server/service-options';
export type { IngressOptions } from './server/ingress';
export type { AutoscalingOptions } from './server/autoscaling';
export { UpgradeStrategy } from './server/upgrade-strategy';
export { ReadinessCheck } from './server/readiness-check';
export { MlflowAuth } from './server/auth/mlflow-auth';
export { DefaultPermission, type BasicAuthOptions } from './server/auth/basic-auth';
export type { OAuth2ProxyOptions } from './server/auth/oauth2-proxy-options';
export type { OidcAuthOptions } from './server/auth/oidc-auth';
export type { EncryptionOptions } from './server/encryption';
export { LogLevel } from './server/log-level';

export { ExternalPostgres, type ExternalPostgresProps } from './postgres/external-postgres';
export {
  ExistingSecretPostgres,
  type ConnectionSecretProps,
  type ExistingSecretPostgresProps,
} from './postgres/existing-secret-postgres';
export { BitnamiPostgres } from './postgres/bitnami/bitnami-postgres';
export type { BitnamiPostgresProps } from './postgres/bitnami/bitnami-postgres-props';
export { BitnamiArchitecture, type ReplicationOptions } from './postgres/bitnami/bitnami-architecture';
export {
  BitnamiPasswords,
  type BitnamiPasswordKeys,
  type BitnamiPasswordLiterals,
} from './postgres/bitnami/bitnami-passwords';
export { PgBouncer } from './postgres/pg-bouncer/pg-bouncer';
export type { PgBouncerProps, PgBouncerTlsOptions } from './postgres/pg-bouncer/pg-bouncer-props';
export { PoolMode } from './postgres/pg-bouncer/pool-mode';
export { CloudNativePostgres } from './postgres/cloud-native/cloud-native-postgres';
export type {
  CloudNativePluginOptions,
  CloudNativePoolerOptions,
  CloudNativePostgresProps,
  CloudNativeStorageOptions,
} from './postgres/cloud-native/cloud-native-postgres-props';

export type { IPostgresBackend } from './postgres/postgres-backend';
export { PostgresConnection, type PostgresConnectionProps } from './postgres/postgres-connection';
export type { ExternalEndpointProps } from './postgres/external-endpoint';
export {
  PostgresCredentials,
  type LiteralCredentials,
  type PostgresCredentialsProps,
  type SecretKeysOptions,
} from './postgres/postgres-credentials';
export { PostgresTls, type VerifiedTlsOptions } from './postgres/postgres-tls';
export { ClientCertificate } from './postgres/client-certificate';
export { PoolingProfile, type FittingOptions, type PoolingProfileProps } from './postgres/pooling-profile';

export { DatabaseConnectionCheck, type DatabaseConnectionCheckOptions } from './startup/database-connection-check';
export { DatabaseMigration, type DatabaseMigrationOptions } from './startup/database-migration';

export { ArtifactReach, type ArtifactLocation, type IArtifactStore } from './artifacts/artifact-store';
export { ArtifactAccess } from './artifacts/object-store';
export {
  AzureBlobArtifacts,
  AzureBlobCredentials,
  type AzureBlobArtifactsProps,
} from './artifacts/azure-blob-artifacts';
export { GcsArtifacts, GcsCredentials, type GcsArtifactsProps } from './artifacts/gcs-artifacts';
export { S3Addressing, S3Artifacts, type S3ArtifactsProps } from './artifacts/s3-artifacts';
export { S3Credentials, type S3SecretKeysOptions } from './artifacts/s3-credentials';
export { VolumeArtifacts, type VolumeArtifactsProps } from './artifacts/volume-artifacts';

export { FileSource } from './kube/file-source';
export { SecretKey } from './kube/secret-key';
export { Persistence, type ExistingClaimOptions, type NewClaimOptions } from './kube/persistence';
