import type { Construct } from 'constructs';

import { BasicAuth } from './basic-auth';
import { Bitnami } from './bitnami';
import { BitnamiComplete } from './bitnami-complete';
import { CloudNative } from './cloud-native';
import { CustomPooling } from './custom-pooling';
import { CustomizedDeployment } from './customized-deployment';
import { ExistingSecret } from './existing-secret';
import { External } from './external';
import { HighAvailability } from './high-availability';
import { SingleSignOn } from './oauth2-proxy';
import { OwnBackend } from './own-backend';
import { PooledConnections } from './pg-bouncer';
import { Development, Production } from './two-environments';
import { ValuesFile } from './values-file';

/** Every example as a chart, and so as a file in `dist/`, of one app. */
export function addExamples(app: Construct): void {
  new External(app, 'external');
  new Bitnami(app, 'bitnami');
  new BitnamiComplete(app, 'bitnami-complete');
  new ExistingSecret(app, 'existing-secret');
  new ValuesFile(app, 'values-file');
  new HighAvailability(app, 'high-availability');
  new CustomPooling(app, 'custom-pooling');
  new PooledConnections(app, 'pg-bouncer');
  new CloudNative(app, 'cloud-native');
  new BasicAuth(app, 'basic-auth');
  new SingleSignOn(app, 'oauth2-proxy');
  new OwnBackend(app, 'own-backend');
  new CustomizedDeployment(app, 'customized-deployment');
  new Development(app, 'development', 'mlflow-dev');
  new Production(app, 'production', 'mlflow-prod');
}
