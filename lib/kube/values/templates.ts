import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { App } from 'cdk8s';
import type { Construct } from 'constructs';

/**
 * A text with templates of another program, such as `{{ $value }}` of Prometheus, as it has to be in the output.
 *
 * Helm reads what `cdk8s synth --format helm` writes as templates of its own, so there each `{{` is quoted. YAML has no escape
 * for a backtick, whatever quotes the text gets.
 * @see https://helm.sh/docs/howto/charts_tips_and_tricks/
 */
export function withTemplates(scope: Construct, text: string): string {
  return isHelmChart(App.of(scope).outdir) ? text.replaceAll('{{', '{{`{{`}}') : text;
}

/** Whether the output is the folder `templates` of a Helm chart. cdk8s-cli writes Chart.yaml before it runs the app. */
function isHelmChart(outdir: string): boolean {
  const folder = resolve(outdir);
  return basename(folder) === 'templates' && existsSync(join(dirname(folder), 'Chart.yaml'));
}
