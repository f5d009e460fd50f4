import { App } from 'cdk8s';

import { addExamples } from './all';

const app = new App();
addExamples(app);
app.synth();
