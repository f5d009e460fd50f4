import { Rules } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { Backups } from './backups';
import { BasicAuth } from './basic-auth';
import { Bitnami } from './bitnami';
import { BitnamiComplete } from './bitnami-complete';
import { Bootstrap } from './bootstrap';
import { CloudNative } from './cloud-native';
import { CloudSql } from './cloud-sql';
import { CustomPooling } from './custom-pooling';
import { CustomizedDeployment } from './customized-deployment';
import { ExistingSecret } from './existing-secret';
import { External } from './external';
import { ExternalSecrets } from './external-secrets';
import { Gateway } from './gateway';
import { GarbageCollection } from './garbage-collection';
import { HighAvailability } from './high-availability';
import { Isolated } from './isolated';
import { Monitoring } from './monitoring';
import { SingleSignOn } from './oauth2-proxy';
import { OwnBackend } from './own-backend';
import { PooledConnections } from './pg-bouncer';
import { RdsIam } from './rds-iam';
import { Restore } from './restore';
import { MigrationFromSqlite } from './sqlite-import';
import { Development, Production } from './two-environments';
import { ValuesFile } from './values-file';

/** Every example as a chart, and so as a file in `dist/`, of one app. */
export function addExamples(app: Construct): void {
  Rules.of(app).acknowledge('unique-name', 'Each example is applied by itself.');
  new External(app, 'external');
  new Bitnami(app, 'bitnami');
  new BitnamiComplete(app, 'bitnami-complete');
  new ExistingSecret(app, 'existing-secret');
  new ValuesFile(app, 'values-file');
  new HighAvailability(app, 'high-availability');
  new CustomPooling(app, 'custom-pooling');
  new PooledConnections(app, 'pg-bouncer');
  new CloudNative(app, 'cloud-native');
  new CloudSql(app, 'cloud-sql');
  new RdsIam(app, 'rds-iam');
  new ExternalSecrets(app, 'external-secrets');
  new Gateway(app, 'gateway');
  new Backups(app, 'backups');
  new Restore(app, 'restore');
  new MigrationFromSqlite(app, 'sqlite-import');
  new Isolated(app, 'isolated');
  new BasicAuth(app, 'basic-auth');
  new SingleSignOn(app, 'oauth2-proxy');
  new OwnBackend(app, 'own-backend');
  new CustomizedDeployment(app, 'customized-deployment');
  new Bootstrap(app, 'bootstrap');
  new GarbageCollection(app, 'garbage-collection');
  new Monitoring(app, 'monitoring', 'mlflow');
  new Development(app, 'development', 'mlflow-dev');
  new Production(app, 'production', 'mlflow-prod');
}
