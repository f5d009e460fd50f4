import { FileSource, TlsCertificate } from 'cdk8s-mlflow';

import { chart, container, only, podOf, server, serverManifests } from '../support/synth';

test('the server serves HTTPS, and is probed so', () => {
  const manifests = serverManifests({ certificate: TlsCertificate.fromSecretName('mlflow-tls') });
  const mlflow = container(manifests, 'mlflow');
  expect(mlflow.args).toContain(
    '--uvicorn-opts=--log-level=info --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json --ssl-certfile=/etc/mlflow-tls/certificate/tls.crt --ssl-keyfile=/etc/mlflow-tls/key/tls.key',
  );
  for (const probe of [mlflow.startupProbe, mlflow.livenessProbe, mlflow.readinessProbe]) {
    expect(probe.httpGet.scheme).toBe('HTTPS');
  }
  expect(mlflow.ports).toEqual([{ containerPort: 5000, name: 'https' }]);
  expect(only(manifests, 'Service').spec.ports).toEqual([{ name: 'https', port: 5000, targetPort: 5000 }]);
});

test('only the server has its key, which nobody else in the pod can read', () => {
  const certificate = new TlsCertificate(
    FileSource.fromConfigMap('public', 'chain.pem'),
    FileSource.fromSecret('private', 'key.pem'),
  );
  const pod = podOf(serverManifests({ certificate }));
  expect(pod.volumes).toContainEqual({
    name: 'server-key',
    secret: { secretName: 'private', items: [{ key: 'key.pem', path: 'tls.key', mode: 0o440 }] },
  });
  for (const init of pod.initContainers) {
    expect(JSON.stringify(init.volumeMounts)).not.toContain('server-key');
  }
});

test('names what cannot be', () => {
  expect(() => server(chart(), { certificate: TlsCertificate.fromSecretName('Not A Name') })).toThrow(
    new Error(
      [
        '`certificate.certificate` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Not A Name".',
        '`certificate.privateKey` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Not A Name".',
      ]
        .map((line) => `[chart/mlflow] ${line}`)
        .join('\n'),
    ),
  );
});
