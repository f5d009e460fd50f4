import { App } from 'cdk8s';
import { Diagram } from 'cdk8s-mlflow';

import { addExamples } from './all';
import { writeRunbooks } from './runbooks';

const app = new App();
addExamples(app);
app.synth();
writeRunbooks(app);
Diagram.write(app);
