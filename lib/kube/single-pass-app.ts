import { ApiObject, App, type AppProps, Chart, DependencyGraph } from 'cdk8s';

import { checkNew } from '../validation/arguments';

/**
 * An `App` of cdk8s for many charts: its synthesis resolves dependencies and validates once. The manifests are the same.
 *
 * `App` does both for the whole app again for each chart, so that ten times as many charts take up to a hundred times as long
 * (`App._synthChart` of cdk8s 2.70).
 */
export class SinglePassApp extends App {
  /** @param props as of `App` */
  public constructor(props: AppProps = {}) {
    checkNew('SinglePassApp', props);
    super(props);
  }

  /** Synthesizes all manifests to the output directory. */
  public override synth(): void {
    this.inSinglePass(() => {
      super.synth();
    });
  }

  /** Synthesizes the app into one text of YAML. */
  public override synthYaml(): string {
    return this.inSinglePass(() => super.synthYaml());
  }

  /** The synthesis itself resolves and validates first. So charts need not do it when they are rendered within it. */
  private inSinglePass<T>(synthesis: () => T): T {
    const charts = this.node.findAll().filter((each) => Chart.isChart(each));
    const plain = charts.filter((chart) => chart.toJson === Chart.prototype.toJson);
    plain.forEach((chart) => Object.assign(chart, { toJson: () => manifestsOf(chart) }));
    try {
      return synthesis();
    } finally {
      plain.forEach((chart) => Reflect.deleteProperty(chart, 'toJson'));
    }
  }
}

/** In the order of dependencies, without the objects of charts in this one. */
function manifestsOf(chart: Chart): unknown[] {
  return new DependencyGraph(chart.node)
    .topology()
    .filter((each) => ApiObject.isApiObject(each))
    .filter((object) => Chart.of(object) === chart)
    .map((object) => object.toJson() as unknown);
}
