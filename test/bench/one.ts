import { Testing } from 'cdk8s';

import { bareChart, bareCharts } from './bare';
import { ourChart, ourCharts } from './ours';

// One measurement in a process of its own: cold, as `cdk8s synth` is. Prints milliseconds of user CPU.
const [who = '', layout = '', servers] = process.argv.slice(2);
const count = Number(servers);
const app = Testing.app();
const makers: Record<string, () => unknown> = {
  'ours together': () => ourChart(app, count),
  'ours apart': () => {
    ourCharts(app, count);
  },
  'bare together': () => bareChart(app, count, 'chart-scripts-00000000', () => 'ff'),
  'bare apart': () => {
    bareCharts(app, count, '00000000', () => 'ff');
  },
};
const make = makers[`${who} ${layout}`];
if (make === undefined) {
  throw new Error(`usage: one.ts ours|bare together|apart COUNT; got ${process.argv.slice(2).join(' ')}`);
}
const before = process.cpuUsage();
make();
app.synth();
console.log(JSON.stringify({ milliseconds: process.cpuUsage(before).user / 1000 }));
