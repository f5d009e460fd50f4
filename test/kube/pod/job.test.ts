import { ApiObject, Chart, JsonPatch, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { labelsOf } from '../../../lib/kube/pod/labels';
import { oneShotJob } from '../../../lib/kube/pod/job';
import { container, podOf } from '../../../lib/kube/pod/pod';
import { Problems } from '../../../lib/validation/problems';

function jobIn(
  chart: Chart,
  options: { readonly annotation?: string; readonly image?: string; readonly priority?: string } = {},
): kplus.Job {
  const pod = podOf(new Problems(chart), labelsOf('app', 'it', 'work'), {
    parts: [{ podAnnotations: { revision: options.annotation ?? 'a' } }],
    containers: [container('work', [], { image: options.image ?? 'image:1' })],
    priorityClassName: options.priority,
  });
  return oneShotJob(chart, 'job', pod, { name: 'it-work' });
}

function nameWith(
  options: Parameters<typeof jobIn>[1] = {},
  change: (job: kplus.Job) => void = () => undefined,
): string {
  const chart = Testing.chart();
  const made = jobIn(chart, options);
  change(made);
  const jobs = (Chart.of(chart).toJson() as { kind: string; metadata: { name: string } }[]).filter(
    ({ kind }) => kind === 'Job',
  );
  expect(jobs.map(({ metadata }) => metadata.name)).toEqual([made.name]);
  return made.name;
}

test('the name follows from the whole template', () => {
  const name = nameWith();
  expect(name).toMatch(/^it-work-[0-9a-f]{8}$/);
  expect(nameWith()).toBe(name);
  const others = [nameWith({ annotation: 'b' }), nameWith({ image: 'image:2' }), nameWith({ priority: 'high' })];
  expect(new Set([name, ...others]).size).toBe(4);
});

test('it follows what is changed afterwards, too', () => {
  const names = [
    nameWith(),
    nameWith({}, (job) => {
      job.podMetadata.addLabel('team', 'a');
    }),
    nameWith({}, (job) => {
      ApiObject.of(job).addJsonPatch(JsonPatch.add('/spec/ttlSecondsAfterFinished', 60));
    }),
    nameWith({}, (job) => {
      job.addContainer({ name: 'other', image: 'image:1', securityContext: { ensureNonRoot: false } });
    }),
  ];
  expect(new Set(names).size).toBe(4);
});

test('it is a Job of cdk8s-plus-28 to go on from', () => {
  expect(jobIn(Testing.chart())).toBeInstanceOf(kplus.Job);
});
