import type { Chart } from '../../lib/cli/from-helm/chart';
import { CHARTS } from '../../lib/cli/from-helm/from-helm';

/** A chart by its name on the command line. */
export function chartOf(name: string): Chart {
  const chart = CHARTS[name];
  if (chart === undefined) {
    throw new Error(`there is no chart ${name}`);
  }
  return chart;
}
