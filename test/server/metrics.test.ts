import { chart, container, podOf, scriptsOf, server, serverManifests } from '../support/synth';

const FOLDER = '/var/run/mlflow-metrics';

test('no metrics by default', () => {
  const manifests = serverManifests();
  expect(container(manifests, 'mlflow').command).toEqual(['python', '/opt/mlflow/scripts/run_mlflow.py']);
  expect(JSON.stringify(podOf(manifests))).not.toMatch(/prometheus|metrics/);
});

test('the server starts on an empty folder in memory, and counts there', () => {
  const manifests = serverManifests({ metrics: true, extraArgs: ['--secrets-cache-ttl=60'] });
  const { command, args, volumeMounts, ports } = container(manifests, 'mlflow');
  expect(command).toEqual([
    'python',
    '/opt/mlflow/scripts/serve_with_metrics.py',
    FOLDER,
    'python',
    '/opt/mlflow/scripts/run_mlflow.py',
  ]);
  expect(args[0]).toBe('server');
  expect(args).toContain(`--expose-prometheus=${FOLDER}`);
  expect(volumeMounts).toContainEqual({ name: 'metrics', mountPath: FOLDER });
  expect(podOf(manifests).volumes).toContainEqual({
    name: 'metrics',
    emptyDir: { medium: 'Memory', sizeLimit: '64Mi' },
  });
  expect(ports).toEqual([{ name: 'http', containerPort: 5000 }]);
  // Servers with and without metrics share their scripts.
  expect(scriptsOf(manifests).data).toHaveProperty(['serve_with_metrics.py']);
  expect(scriptsOf(serverManifests())).toEqual(scriptsOf(manifests));
});

test('the library sets what belongs to it', () => {
  expect(() => server(chart(), { extraArgs: ['--expose-prometheus=/tmp/x'] })).toThrow(
    new Error(
      '[chart/mlflow] `extraArgs --expose-prometheus=/tmp/x` must not be set: the library sets it itself. Use `metrics`.',
    ),
  );
});
