// Prometheus' own judge of rules.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { goInstall, installed, makeVirtualenv } from '../../support/tools.mjs';

const GO = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'support', 'requirements-go.txt');
const PROMTOOL = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0';

/** The path of promtool. */
export function promtool() {
  const folder = installed('promtool', [GO], [PROMTOOL], (made) => {
    const bin = join(made, 'bin');
    makeVirtualenv('python3', made, ['-r', GO]);
    // The clients of all clouds, which would take most of the time, are of no use here.
    goInstall(join(bin, 'go'), PROMTOOL, bin, { tags: 'remove_all_sd' });
  });
  return join(folder, 'bin', 'promtool');
}
