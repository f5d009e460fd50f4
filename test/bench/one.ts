import { App, Testing } from 'cdk8s';
import { SinglePassApp } from 'cdk8s-mlflow';

import { bareChart, bareCharts } from './bare';
import { ourChart, ourCharts } from './ours';

// One measurement in a process of its own: cold, as `cdk8s synth` is. Prints milliseconds of user CPU.
const [who = '', layout = '', servers] = process.argv.slice(2);
const count = Number(servers);
const { outdir } = Testing.app();
const app = who === 'single' ? new SinglePassApp({ outdir }) : new App({ outdir });
const inNamespaces = layout === 'namespaces';
const makers: Record<string, () => unknown> = {
  'ours together': () => ourChart(app, count),
  'ours apart': () => {
    ourCharts(app, count, inNamespaces);
  },
  'bare together': () => bareChart(app, count, 'chart-scripts-00000000', () => 'ff'),
  'bare apart': () => {
    bareCharts(app, count, '00000000', () => 'ff', inNamespaces);
  },
};
const make = makers[`${who === 'bare' ? who : 'ours'} ${layout === 'together' ? layout : 'apart'}`];
if (make === undefined || !['ours', 'single', 'bare'].includes(who)) {
  throw new Error(
    `usage: one.ts ours|single|bare together|apart|namespaces COUNT; got ${process.argv.slice(2).join(' ')}`,
  );
}
const before = process.cpuUsage();
make();
app.synth();
console.log(JSON.stringify({ milliseconds: process.cpuUsage(before).user / 1000 }));
