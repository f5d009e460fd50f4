import { App } from 'cdk8s';

import { OwnBackend } from '../../../examples/own-backend';

const app = new App();
new OwnBackend(app, 'own-backend');
app.synth();
