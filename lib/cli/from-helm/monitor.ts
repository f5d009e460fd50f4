import type { Data } from './data';

/** What a chart's ServiceMonitor says. */
export interface Monitor {
  readonly keys: readonly string[];
  readonly interval?: string;
  readonly timeout?: string;
  readonly labels: Record<string, string>;
  readonly relabelings?: readonly Data[];
  readonly metricRelabelings?: readonly Data[];
}
