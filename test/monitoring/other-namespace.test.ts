import { MlflowMonitoring, PrometheusScrape } from 'cdk8s-mlflow';

import { chart, type Manifest, server } from '../support/synth';

test.each([PrometheusScrape.serviceMonitor(), PrometheusScrape.podMonitor()])(
  'a monitor in another namespace names that of the server',
  (scrape) => {
    const it = server(chart('team'), { metrics: true });
    const other = chart('monitoring');
    const monitorOf = (...[scope]: [typeof other]): Manifest =>
      new MlflowMonitoring(scope, 'monitoring', { server: it, scrape }).monitor?.toJson();
    expect(monitorOf(other).spec.namespaceSelector).toEqual({ matchNames: ['team'] });
    expect(monitorOf(it.node.scope as typeof other).spec).not.toHaveProperty('namespaceSelector');
  },
);
