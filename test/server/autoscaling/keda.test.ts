import { Duration } from 'cdk8s';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import { Autoscaling, type KedaOptions, KedaTrigger, Persistence, VolumeArtifacts } from 'cdk8s-mlflow';

import { chart, type Manifest, only, server, serverManifests } from '../../support/synth';

const artifactRoot = new VolumeArtifacts({
  persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
});
const prometheusAddress = 'http://prometheus.monitoring:9090';
const requests = KedaTrigger.requests({ prometheusAddress, perSecondAndPod: 50 });

function synth(options: KedaOptions, namespace = 'mlflow'): Manifest[] {
  return serverManifests({ autoscaling: Autoscaling.keda(options), artifactRoot, metrics: true }, namespace);
}

test('KEDA sets the number of pods, which the Deployment then leaves alone', () => {
  const manifests = synth({ maxReplicas: 6, triggers: [requests] });
  expect(only(manifests, 'Deployment').spec).not.toHaveProperty('replicas');
  expect(manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([]);
  expect(only(manifests, 'ScaledObject')).toMatchObject({
    apiVersion: 'keda.sh/v1alpha1',
    metadata: { name: 'mlflow' },
    spec: {
      scaleTargetRef: { name: 'mlflow' },
      minReplicaCount: 2,
      maxReplicaCount: 6,
      triggers: [
        {
          type: 'prometheus',
          metricType: 'AverageValue',
          metadata: {
            serverAddress: prometheusAddress,
            query: 'sum(rate(mlflow_http_request_total{namespace="mlflow",job="mlflow"}[2m]))',
            threshold: '50',
          },
        },
      ],
    },
  });
});

test('takes CPU, memory and any query, and what to do without a measurement', () => {
  const { spec } = only(
    synth({
      minReplicas: 3,
      maxReplicas: 8,
      pollingInterval: Duration.seconds(10),
      fallbackReplicas: 4,
      triggers: [
        KedaTrigger.cpu(70),
        KedaTrigger.memory(90),
        KedaTrigger.prometheus({ prometheusAddress, query: 'sum(pg_stat_activity_count)', threshold: 20.5 }),
      ],
    }),
    'ScaledObject',
  );
  expect([spec.minReplicaCount, spec.pollingInterval]).toEqual([3, 10]);
  expect(spec.fallback).toEqual({ failureThreshold: 3, replicas: 4 });
  expect(spec.triggers).toEqual([
    { type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } },
    { type: 'memory', metricType: 'Utilization', metadata: { value: '90' } },
    {
      type: 'prometheus',
      metricType: 'AverageValue',
      metadata: { serverAddress: prometheusAddress, query: 'sum(pg_stat_activity_count)', threshold: '20.5' },
    },
  ]);
});

test.each<[KedaOptions, string]>([
  [
    { minReplicas: 0, maxReplicas: 2, triggers: [requests] },
    '`autoscaling.minReplicas` must be a whole number from 1, got 0.',
  ],
  [{ maxReplicas: 2, triggers: [] }, '`autoscaling.triggers` must name at least one trigger, got none.'],
  [
    { maxReplicas: 2, triggers: [requests], pollingInterval: Duration.millis(500) },
    '`autoscaling.pollingInterval` must be a whole number of seconds from 1, got 0.5.',
  ],
  [
    { maxReplicas: 2, triggers: [requests], fallbackReplicas: 3 },
    '`autoscaling.fallbackReplicas` must be a whole number from 1 to 2, got 3.',
  ],
  [
    { maxReplicas: 2, triggers: [KedaTrigger.cpu(80)], fallbackReplicas: 2 },
    '`autoscaling.fallbackReplicas` needs a Prometheus trigger: KEDA has no fallback for CPU and memory. Leave it out.',
  ],
  [
    { maxReplicas: 2, triggers: [KedaTrigger.cpu(0)] },
    '`autoscaling.triggers[0]` must be a whole number from 1, got 0.',
  ],
  [
    { maxReplicas: 2, triggers: [KedaTrigger.requests({ prometheusAddress: 'prometheus:9090', perSecondAndPod: 5 })] },
    '`autoscaling.triggers[0].prometheusAddress` must be a URL, got "prometheus:9090". Write http://service.namespace:9090.',
  ],
  [
    { maxReplicas: 2, triggers: [requests, KedaTrigger.requests({ prometheusAddress, perSecondAndPod: 0 })] },
    '`autoscaling.triggers[1].perSecondAndPod` must be a number above 0, got 0.',
  ],
  [
    { maxReplicas: 2, triggers: [KedaTrigger.prometheus({ prometheusAddress, query: 'up', threshold: Infinity })] },
    '`autoscaling.triggers[0].threshold` must be a number above 0, got Infinity.',
  ],
])('%#: refuses what cannot be', (options, message) => {
  expect(() => synth(options)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('requests need to be counted, and a namespace to be told apart by', () => {
  const autoscaling = Autoscaling.keda({ maxReplicas: 2, triggers: [requests] });
  expect(() => server(chart(), { artifactRoot, autoscaling })).toThrow(
    new Error(
      [
        '[chart/mlflow] `autoscaling.triggers[0]` needs the namespace of the server. Set the `namespace` of its chart.',
        '[chart/mlflow] `autoscaling.triggers[0]` needs a server with metrics. Set `metrics: true`.',
      ].join('\n'),
    ),
  );
});
