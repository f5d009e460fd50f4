import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { ApiObject, type App, Chart, Names } from 'cdk8s';
import type { IConstruct } from 'constructs';

import { completeAll } from '../kube/same-namespace';

import { DiagramEdges } from './diagram-edges';
import { type DrawnObject, drawnObjects, linesOf, titleOf } from './drawn-object';
import { Flowchart } from './mermaid';

/** Kinds that complete a pod of their construct, and are listed in one node. */
const COMPLETING = new Set([
  ...['ConfigMap', 'HorizontalPodAutoscaler', 'NetworkPolicy', 'PodDisruptionBudget', 'PrometheusRule', 'Role'],
  ...['RoleBinding', 'ScaledObject', 'ServiceAccount'],
]);
const HOLDING_DATA = new Set(['Cluster', 'PersistentVolumeClaim', 'Secret']);

/**
 * Diagram of what a chart makes: servers, databases, Jobs, Services and routes, Secrets and claims, and what is elsewhere and they
 * need. So a reviewer sees what a change adds or removes. It shows names and addresses, and no value of a Secret.
 *
 * A thin arrow is a connection, a dotted one what a pod reads, and a thick one what a NetworkPolicy allows, with its ports.
 *
 * @example
 * app.synth();
 * Diagram.write(app);
 */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- jsii exports classes, no functions
export class Diagram {
  /** The diagram of a chart as a flowchart in the language of Mermaid, which GitHub, GitLab and many editors show. */
  public static mermaid(chart: Chart): string {
    return diagramOf(objectsIn(chart), chart);
  }

  /**
   * Writes the diagram of each chart beside its YAML, as `<chart>.mmd`. Call it after `app.synth()`.
   *
   * In a Helm chart (`cdk8s synth --format helm`), they are beside the folder `templates`, in which Helm takes each file for a manifest.
   */
  public static write(app: App): void {
    const folder = basename(app.outdir) === 'templates' ? dirname(app.outdir) : app.outdir;
    mkdirSync(folder, { recursive: true });
    for (const chart of app.charts.filter((each) => objectsIn(each).length > 0)) {
      writeFileSync(join(folder, `${Names.toDnsLabel(chart)}.mmd`), Diagram.mermaid(chart));
    }
  }
}

/** The diagram of some objects of a chart. */
export function diagramOf(objects: readonly ApiObject[], chart: Chart): string {
  completeAll(chart.node.root.node.findAll());
  const drawn = drawnObjects(objects, chart.node.path);
  const flowchart = new Flowchart();
  const ids = new Map<DrawnObject, string>();
  for (const group of new Set(drawn.map((each) => each.group))) {
    const ofGroup = drawn.filter((each) => each.group === group);
    for (const object of ofGroup.filter(({ kind }) => !COMPLETING.has(kind))) {
      const shape = HOLDING_DATA.has(object.kind) ? 'data' : 'object';
      ids.set(object, flowchart.node(linesOf(object), shape, group));
    }
    const completing = new Set(ofGroup.filter(({ kind }) => COMPLETING.has(kind)).map(titleOf));
    if (completing.size > 0) {
      flowchart.node([...completing], 'object', group);
    }
  }
  new DiagramEdges(flowchart, drawn, ids).draw();
  return flowchart.toString();
}

/** The objects of a scope, without those of charts in it. */
export function objectsIn(scope: IConstruct): ApiObject[] {
  const all = scope.node.findAll().filter((each) => ApiObject.isApiObject(each));
  return all.filter((each) => Chart.of(each) === Chart.of(scope));
}
