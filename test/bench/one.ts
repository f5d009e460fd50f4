import { readFileSync } from 'node:fs';

import { Testing } from 'cdk8s';

import { bareChart } from './bare';
import { ourChart } from './ours';

// One measurement in a process of its own: cold, as `cdk8s synth` is. Prints milliseconds of user CPU.
const [who, count] = [process.argv[2], Number(process.argv[3])];
const app = Testing.app();
const before = process.cpuUsage();
if (who === 'ours') {
  ourChart(app, count);
} else {
  bareChart(app, count, 'chart-scripts-00000000', () => 'ff');
}
app.synth();
const { user } = process.cpuUsage(before);
const bytes = readFileSync(`${app.outdir}/chart.k8s.yaml`).length;
console.log(JSON.stringify({ milliseconds: user / 1000, bytes }));
