import { Chart, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { labelsOf } from '../../../lib/kube/pod/labels';
import { oneShotJob } from '../../../lib/kube/pod/one-shot-job';

function nameWith(options: {
  readonly annotation?: string;
  readonly image?: string;
  readonly priority?: string;
}): string {
  const chart = Testing.chart();
  oneShotJob(
    chart,
    'job',
    labelsOf('app', 'it', 'work'),
    {
      name: 'it-work',
      podMetadata: { annotations: { revision: options.annotation ?? 'a' } },
      containers: [{ image: options.image ?? 'image:1' }],
    },
    { priorityClassName: options.priority },
  );
  const [job, ...others] = Chart.of(chart).toJson() as { kind: string; metadata: { name: string } }[];
  expect(others).toEqual([]);
  return job?.metadata.name ?? '';
}

test('the name follows from the whole template', () => {
  const name = nameWith({});
  expect(name).toMatch(/^it-work-[0-9a-f]{8}$/);
  expect(nameWith({})).toBe(name);
  const others = [nameWith({ annotation: 'b' }), nameWith({ image: 'image:2' }), nameWith({ priority: 'high' })];
  expect(new Set([name, ...others]).size).toBe(4);
});

test('it is a Job of cdk8s-plus-28 to go on from', () => {
  const job = oneShotJob(Testing.chart(), 'job', labelsOf('app', 'it', 'work'), {
    name: 'it-work',
    containers: [{ image: 'image:1' }],
  });
  expect(job).toBeInstanceOf(kplus.Job);
  expect(job.node.scope?.node.children).toEqual([job]);
});
