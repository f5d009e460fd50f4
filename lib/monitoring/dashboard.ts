import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../kube/values/digest';
import { withTemplates } from '../kube/values/templates';

import type { Panel, Row } from './dashboard-panels';

// In units of Grafana's grid, which is 24 wide.
const WIDTH = 6;
const HEIGHT = 8;

const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** A dashboard, and the labels by which Grafana finds it. */
export interface Dashboard {
  /** Name of the ConfigMap. */
  readonly name: string;
  readonly title: string;
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly rows: Row[];
}

/** The dashboard as a ConfigMap for Grafana's sidecar. */
export function dashboardConfigMap(scope: Construct, dashboard: Dashboard): kplus.ConfigMap {
  const { name, title, labels, annotations, rows } = dashboard;
  return new kplus.ConfigMap(scope, 'dashboard', {
    metadata: { name, labels, annotations },
    data: { [`${name}.json`]: withTemplates(scope, `${JSON.stringify(dashboardJson(title, rows), null, 1)}\n`) },
  });
}

/**
 * The JSON model that Grafana imports. The data source is a variable, so that it fits every Grafana.
 * @see https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 */
function dashboardJson(title: string, rows: Row[]): Record<string, unknown> {
  return {
    // Stable, so that links to it stay valid.
    uid: `mlflow-${contentDigest(title)}`,
    title,
    tags: ['mlflow'],
    schemaVersion: 39,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }] },
    panels: rows.filter(({ panels }) => panels.length > 0).flatMap(rowJson),
  };
}

function rowJson(row: Row, index: number): Record<string, unknown>[] {
  const id = index * 10 + 1;
  const y = index * (HEIGHT + 1);
  return [
    { id, type: 'row', title: row.title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] },
    ...row.panels.map((panel, i) => panelJson(panel, id + 1 + i, { x: i * WIDTH, y: y + 1 })),
  ];
}

function panelJson(
  panel: Panel,
  id: number,
  corner: { readonly x: number; readonly y: number },
): Record<string, unknown> {
  return {
    id,
    type: 'timeseries',
    title: panel.title,
    datasource: DATA_SOURCE,
    gridPos: { ...corner, w: WIDTH, h: HEIGHT },
    fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
    targets: Object.entries(panel.series).map(([legendFormat, expr], i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: DATA_SOURCE,
      expr,
      legendFormat,
    })),
  };
}
