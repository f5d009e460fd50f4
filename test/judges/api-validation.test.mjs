// node --test test/judges/api-validation.test.mjs: the oracle refuses what the API server refuses, and says what it cannot judge.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ApiValidation } from './api-validation.mjs';

const GOLDEN = join(dirname(fileURLToPath(import.meta.url)), '..', 'golden');
const oracle = new ApiValidation();
after(() => oracle.end());

const json = (...objects) => objects.map((object) => JSON.stringify(object)).join('\n---\n');
const object = (apiVersion, kind, rest, name = 'x') => ({ apiVersion, kind, metadata: { name }, ...rest });
const container = (more) => ({ name: 'x', image: 'x:1', ...more });
const template = (spec, labels = { app: 'x' }) => ({
  metadata: { labels },
  spec: { containers: [container()], ...spec },
});
const deployment = (spec, name) =>
  object(
    'apps/v1',
    'Deployment',
    { spec: { selector: { matchLabels: { app: 'x' } }, template: template(spec) } },
    name,
  );
const statefulSet = (name, spec) =>
  object(
    'apps/v1',
    'StatefulSet',
    { spec: { serviceName: 'x', selector: { matchLabels: { app: 'x' } }, template: template(spec) } },
    name,
  );
const job = (spec) => object('batch/v1', 'Job', { spec: { template: template({ restartPolicy: 'Never', ...spec }) } });
const cronJob = (spec) =>
  object('batch/v1', 'CronJob', { spec: { schedule: '0 3 * * *', jobTemplate: { spec: job().spec }, ...spec } });
const service = (spec) => object('v1', 'Service', { spec: { ports: [{ port: 80 }], ...spec } });
const ingress = (host, spec) =>
  object('networking.k8s.io/v1', 'Ingress', {
    spec: {
      rules: [
        {
          host,
          http: {
            paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'x', port: { number: 80 } } } }],
          },
        },
      ],
      ...spec,
    },
  });
const cidr = (range) =>
  object('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: range } }] }] },
  });
const claim = (size, spec) =>
  object('v1', 'PersistentVolumeClaim', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, ...spec },
  });
const autoscaler = (spec) =>
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 2, ...spec },
  });
const resources = (requests, limits) => ({ containers: [container({ resources: { requests, limits } })] });
const spread = (constraint) => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', ...constraint },
  ],
});
const httpRoute = (spec) =>
  object('gateway.networking.k8s.io/v1', 'HTTPRoute', { spec: { parentRefs: [{ name: 'x' }], ...spec } });
const monitor = (endpoint) =>
  object('monitoring.coreos.com/v1', 'ServiceMonitor', { spec: { selector: {}, endpoints: [endpoint] } });
const rule = (alert) =>
  object('monitoring.coreos.com/v1', 'PrometheusRule', { spec: { groups: [{ name: 'x', rules: [alert] }] } });
const role = (rule) => object('rbac.authorization.k8s.io/v1', 'Role', { rules: [rule] });
const certificate = (spec) => object('cert-manager.io/v1', 'Certificate', { spec });

/** A manifest of each kind of mistake, the field that is at fault and a part of what is said. */
const BAD = [
  [
    'a request above its limit',
    deployment(resources({ cpu: '2' }, { cpu: '1' })),
    'resources.requests',
    'less than or equal to cpu limit',
  ],
  ['negative CPU', deployment(resources({ cpu: '-1' })), 'requests[cpu]', 'greater than or equal to 0'],
  [
    'a pull policy in lower case',
    deployment({ containers: [container({ imagePullPolicy: 'always' })] }),
    'imagePullPolicy',
    'supported values',
  ],
  ['an image with a space', deployment({ containers: [container({ image: ' x' })] }), 'image', 'whitespace'],
  [
    'an image that is a URL',
    deployment({ containers: [container({ image: 'https://reg/x:1' })] }),
    'image',
    'parse image name',
  ],
  [
    'an image in upper case',
    deployment({ containers: [container({ image: 'Reg/X:1' })] }),
    'image',
    'parse image name',
  ],
  ['a priority class', deployment({ priorityClassName: 'High Priority' }), 'priorityClassName', 'lowercase RFC 1123'],
  ['a topology key', deployment(spread({ topologyKey: '' })), 'topologyKey', 'can not be empty'],
  ['a skew of 0', deployment(spread({ maxSkew: 0 })), 'maxSkew', 'greater than zero'],
  ['a way to spread', deployment(spread({ whenUnsatisfiable: 'Always' })), 'whenUnsatisfiable', 'supported values'],
  ['a service account', deployment({ serviceAccountName: 'My_Account' }), 'serviceAccountName', 'RFC 1123'],
  [
    'affinity',
    deployment({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'in', values: ['b'] }] }],
          },
        },
      },
    }),
    'operator',
    'not a valid selector operator',
  ],
  [
    'no password but a number',
    object('v1', 'Secret', { stringData: { password: 12345 } }),
    '',
    'cannot unmarshal number',
  ],
  ['a key of a Secret', object('v1', 'Secret', { stringData: { 'a/b': 'x' } }), 'data[a/b]', 'valid config key'],
  [
    'a namespace with a dot',
    { ...deployment(), metadata: { name: 'x', namespace: 'my.ns' } },
    'metadata.namespace',
    'must not contain dots',
  ],
  ['a name in upper case', object('v1', 'ConfigMap', {}, 'Mlflow'), 'metadata.name', 'RFC 1123 subdomain'],
  [
    'a Service whose name is too long',
    object('v1', 'Service', { spec: { ports: [{ port: 80 }] } }, 'm'.repeat(64)),
    'metadata.name',
    'no more than 63',
  ],
  [
    'a label key',
    { ...object('v1', 'ConfigMap', {}), metadata: { name: 'x', labels: { 'a/b/c': 'x' } } },
    'metadata.labels',
    'qualified name',
  ],
  [
    'a label value',
    { ...object('v1', 'ConfigMap', {}), metadata: { name: 'x', labels: { a: 'two words' } } },
    'metadata.labels',
    'valid label',
  ],
  [
    'an annotation key',
    { ...object('v1', 'ConfigMap', {}), metadata: { name: 'x', annotations: { 'bad key': 'x' } } },
    'metadata.annotations',
    'name part',
  ],
  [
    'a field that is none',
    object('v1', 'Service', { spec: { clusterip: 'None', ports: [{ port: 80 }] } }),
    'spec.clusterip',
    'unknown field',
  ],
  [
    'a node port of a ClusterIP',
    service({ type: 'ClusterIP', ports: [{ port: 80, nodePort: 30080 }] }),
    'spec.ports[0].nodePort',
    "may not be used when `type` is 'ClusterIP'",
  ],
  [
    'a node port out of range',
    service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }),
    'spec.ports[0].nodePort',
    'not in the valid range',
  ],
  [
    'source ranges of a ClusterIP',
    service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }),
    'spec.LoadBalancerSourceRanges',
    "may only be used when `type` is 'LoadBalancer'",
  ],
  [
    'a source range',
    service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0'] }),
    'spec.LoadBalancerSourceRanges[0]',
    'CIDR',
  ],
  ['an address as host', ingress('10.0.0.1'), 'spec.rules[0].host', 'must be a DNS name, not an IP address'],
  [
    'a class of an Ingress',
    ingress('example.com', { ingressClassName: 'My_Class' }),
    'spec.ingressClassName',
    'RFC 1123',
  ],
  [
    'a path that is relative',
    {
      ...ingress('example.com'),
      spec: { rules: [{ http: { paths: [{ ...ingress('x').spec.rules[0].http.paths[0], path: 'x' }] } }] },
    },
    'path',
    'must be an absolute path',
  ],
  ['a range without a mask', cidr('10.0.0.0'), 'ipBlock.cidr', 'CIDR'],
  ['a negative claim', claim('-1Gi'), 'storage', 'greater than zero'],
  ['a storage class', claim('1Gi', { storageClassName: 'My_Class' }), 'storageClassName', 'RFC 1123'],
  ['a StatefulSet that can have no pods', statefulSet('m'.repeat(53)), 'metadata.labels', 'no more than 63'],
  [
    'a CronJob whose Jobs have too long names',
    object('batch/v1', 'CronJob', { spec: cronJob().spec }, 'm'.repeat(53)),
    'metadata.name',
    'no more than 52',
  ],
  ['a schedule', cronJob({ schedule: '61 * * * *' }), 'spec.schedule', 'above maximum'],
  ['a time zone', cronJob({ timeZone: 'Mars/Base' }), 'spec.timeZone', 'unknown time zone'],
  ['a negative deadline', job({ activeDeadlineSeconds: -1 }), 'activeDeadlineSeconds', 'must be between 1'],
  [
    'fewer replicas at most than at least',
    autoscaler({ minReplicas: 3 }),
    'spec.maxReplicas',
    'greater than or equal to `minReplicas`',
  ],
  [
    'a budget of both kinds',
    object('policy/v1', 'PodDisruptionBudget', { spec: { minAvailable: 1, maxUnavailable: 1 } }),
    'spec',
    'cannot be both set',
  ],
  ['a route whose host is an address', httpRoute({ hostnames: ['10.0.0.1:80'] }), 'spec.hostnames[0]', 'should match'],
  [
    'a route that takes shorter than its backend (CEL)',
    httpRoute({ rules: [{ timeouts: { request: '1s', backendRequest: '2s' } }] }),
    'timeouts',
    'backendRequest timeout cannot be longer',
  ],
  ['an interval of a monitor', monitor({ port: 'x', interval: 'soon' }), 'spec.endpoints[0].interval', 'should match'],
  ['a field of a monitor that is none', monitor({ porrt: 'x' }), 'spec.endpoints[0].porrt', 'unknown field'],
  ['a rule without an expression', rule({ alert: 'x' }), 'expr', 'Required'],
  [
    'a trigger without metadata',
    object('keda.sh/v1alpha1', 'ScaledObject', {
      spec: { scaleTargetRef: { name: 'x' }, triggers: [{ type: 'cpu' }] },
    }),
    'metadata',
    'Required',
  ],
  [
    'a store of an external secret',
    object('external-secrets.io/v1', 'ExternalSecret', { spec: { secretStoreRef: { name: 'x', kind: 'Store' } } }),
    'spec.secretStoreRef.kind',
    'supported values',
  ],
  ['a right of a Role without verbs', role({ apiGroups: [''], resources: ['secrets'] }), 'rules[0].verbs', 'Required'],
  [
    'a RoleBinding to a Deployment',
    object('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      roleRef: { apiGroup: 'apps', kind: 'Deployment', name: 'x' },
    }),
    'roleRef',
    'supported values',
  ],
  ['a Certificate without an issuer', certificate({ secretName: 'x' }), 'spec.issuerRef', 'Required'],
];

for (const [name, manifest, field, part] of BAD) {
  test(`refused: ${name}`, async () => {
    const { refusals } = await oracle.judge(name, json(manifest));
    assert.ok(
      refusals.some((each) => each.field.includes(field) && each.message.includes(part)),
      JSON.stringify(refusals, undefined, 2),
    );
  });
}

test('two objects of one name are refused, in one namespace', async () => {
  const map = object('v1', 'ConfigMap', {});
  const elsewhere = { ...map, metadata: { name: 'x', namespace: 'y' } };
  assert.deepEqual((await oracle.judge('names', json(map, elsewhere))).refusals, []);
  const { refusals } = await oracle.judge('names', json(map, elsewhere, map));
  assert.deepEqual(refusals, [{ object: 'ConfigMap/x', field: '', message: 'configmaps "x" already exists' }]);
});

test('two Services cannot have one node port', async () => {
  const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] };
  const { refusals } = await oracle.judge('ports', json(service(spec), { ...service(spec), metadata: { name: 'y' } }));
  assert.match(refusals[0].message, /already allocated/);
});

test('an app knows nothing of the one before', async () => {
  const spec = { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] };
  await oracle.judge('first', json(service(spec)));
  assert.deepEqual((await oracle.judge('second', json(service(spec)))).refusals, []);
});

test('a key that is there twice is refused', async () => {
  const { refusals } = await oracle.judge(
    'twice',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\ndata: { a: "1", a: "2" }',
  );
  assert.match(refusals[0].message, /already set in map/);
});

test('a kind without rules is no pass', async () => {
  const { unjudged } = await oracle.judge(
    'kinds',
    json(object('example.com/v1', 'Thing', {}), object('apps/v2', 'Deployment', {})),
  );
  assert.deepEqual(unjudged, ['Thing/x', 'Deployment/x']);
});

test('what is right passes', async () => {
  const right = [
    deployment(),
    statefulSet('x'),
    job(),
    cronJob(),
    service(),
    ingress('example.com'),
    cidr('10.0.0.0/8'),
    claim('1Gi'),
    autoscaler(),
    httpRoute(),
    monitor({ port: 'x' }),
    rule({ alert: 'x', expr: 'up' }),
    role({ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }),
    certificate({ secretName: 'x', issuerRef: { name: 'x' } }),
  ];
  const { objects, refusals, unjudged } = await oracle.judge('right', json(...right));
  assert.deepEqual({ objects, refusals, unjudged }, { objects: right.length, refusals: [], unjudged: [] });
});

const LEFT_OUT = [
  [
    'HTTPRoute',
    object('gateway.networking.k8s.io/v1', 'HTTPRoute', {
      spec: { parentRefs: [{ name: 'x' }], rules: [{ backendRefs: [{ name: 'x', port: 80 }] }] },
    }),
    [
      '.spec.parentRefs[0].group',
      '.spec.parentRefs[0].kind',
      '.spec.rules[0].backendRefs[0].group',
      '.spec.rules[0].backendRefs[0].kind',
      '.spec.rules[0].backendRefs[0].weight',
      '.spec.rules[0].matches',
    ],
  ],
  [
    'ExternalSecret',
    object('external-secrets.io/v1', 'ExternalSecret', {
      spec: { secretStoreRef: { name: 'x' }, data: [{ secretKey: 'x', remoteRef: { key: 'x' } }] },
    }),
    [
      '.spec.data[0].remoteRef.conversionStrategy',
      '.spec.data[0].remoteRef.decodingStrategy',
      '.spec.data[0].remoteRef.metadataPolicy',
    ],
  ],
  [
    'StatefulSet',
    object('apps/v1', 'StatefulSet', {
      spec: { ...statefulSet('x').spec, volumeClaimTemplates: [{ metadata: { name: 'x' }, spec: claim('1Gi').spec }] },
    }),
    ['.spec.volumeClaimTemplates[0].apiVersion', '.spec.volumeClaimTemplates[0].kind'],
  ],
  [
    'Cluster',
    object('postgresql.cnpg.io/v1', 'Cluster', {
      spec: { instances: 1, storage: { size: '1Gi' }, plugins: [{ name: 'x' }] },
    }),
    ['.spec.plugins[0].enabled', '.spec.plugins[0].isWALArchiver'],
  ],
];

for (const [name, manifest, fields] of LEFT_OUT) {
  test(`Argo CD shows defaults that are left out of lists: ${name}`, async () => {
    const { refusals, differences } = await oracle.judge(name, json(manifest));
    assert.deepEqual(refusals, []);
    assert.deepEqual(
      differences.map((each) => [each.with, each.field]),
      fields.map((field) => ['server-side apply', field]),
    );
  });
}

for (const file of readdirSync(GOLDEN)) {
  test(`passes: ${file}`, async () => {
    const { objects, ...found } = await oracle.judge(file, readFileSync(join(GOLDEN, file), 'utf8'));
    assert.ok(objects > 0);
    assert.deepEqual(found, { id: file, refusals: [], warnings: [], unjudged: [], differences: [] });
  });
}
