import { Rules } from 'cdk8s-mlflow';

import { chart } from '../support/synth';

test('an unknown rule is an error', () => {
  expect(() => {
    Rules.of(chart()).acknowledge('pool-fit', 'It is scaled to zero at night.');
  }).toThrow(
    new Error(
      '[chart] `rule` must be one of pool-fits-database, requests-fit-pooler, no-server-while-importing, no-server-while-restoring, no-server-while-moving, no-server-while-relocating, one-filling-job, memory-fits-processes, jobs-on-one-pod, unique-name, same-namespace, unique-route, autoscaler-needs-requests, got "pool-fit".',
    ),
  );
});
