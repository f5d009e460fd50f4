import { App } from 'cdk8s';

import { addExamples } from './all';
import { writeRunbooks } from './runbooks';

const app = new App();
addExamples(app);
app.synth();
writeRunbooks(app);
