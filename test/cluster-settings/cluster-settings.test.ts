import { ApiObject, App, Chart, Cron, Testing, Yaml } from 'cdk8s';
import {
  CloudNativePostgres,
  ClusterSettings,
  type ClusterOptions,
  DefaultImages,
  FileSource,
  HttpProxy,
  ImageRegistry,
  IpFamilies,
  LogFormat,
  NetworkPeer,
  PodUser,
  SecretKey,
} from 'cdk8s-mlflow';
import * as kplus from 'cdk8s-plus-28';

import { addExamples } from '../../examples/all';
import { anyBackend, chart, containerOf, env, type Manifest, only, podOf, server } from '../support/synth';

const MIRROR = 'registry.example.com/mirror';
const ALL: ClusterOptions = {
  ...ClusterSettings.openShift(),
  imageRegistry: ImageRegistry.mirror(MIRROR),
  imagePullSecrets: ['registry-login'],
  trustedCa: FileSource.fromConfigMap('cas', 'ca.crt'),
  httpProxy: HttpProxy.at('http://proxy.example.com:3128', { noProxy: ['.example.com'] }),
  ipFamilies: IpFamilies.PREFER_DUAL_STACK,
  clusterDomain: 'corp.local',
  nodeSelector: { pool: 'ml' },
  tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
  priorityClassName: 'high',
  podLabels: { 'example.com/site': 'a', 'app.kubernetes.io/name': 'never' },
  podAnnotations: { 'sidecar.istio.io/inject': 'false' },
  logFormat: LogFormat.JSON,
};

/** The examples, with the pods of all their workloads. */
function examples(options: ClusterOptions): { readonly manifests: Manifest[]; readonly pods: Manifest[] } {
  const app = new App({ outdir: Testing.app().outdir });
  ClusterSettings.of(app).apply(options);
  addExamples(app);
  const manifests = app.charts.flatMap((each) => each.toJson());
  return { manifests, pods: manifests.map(templateOf).filter((pod) => pod?.spec.containers !== undefined) };
}

function templateOf({ spec }: Manifest): Manifest {
  return spec?.jobTemplate?.spec.template ?? spec?.template;
}

function containersOf(pod: Manifest): Manifest[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
}

/** A Deployment that does not come from the library. */
function ownDeployment(scope: Chart, id = 'own', containerProps: Partial<kplus.ContainerProps> = {}): kplus.Deployment {
  return new kplus.Deployment(scope, id, { containers: [{ image: 'busybox:1', ...containerProps }] });
}

describe('all pods of all examples', () => {
  const { manifests, pods } = examples(ALL);
  const ofImages = pods.filter((pod) => containersOf(pod).every(({ image }) => image !== undefined));

  test('there are many', () => {
    expect(pods.length).toBeGreaterThan(40);
    expect(ofImages).toEqual(pods);
  });

  test('leave their user to the cluster', () => {
    expect(JSON.stringify(pods)).not.toMatch(/runAsUser|runAsGroup|"fsGroup"/);
    expect(new Set(ofImages.map((pod) => pod.spec.securityContext.runAsNonRoot))).toEqual(new Set([true]));
  });

  test('take their images from the mirror', () => {
    const images = ofImages.flatMap(containersOf).map(({ image }) => image as string);
    expect(
      images.filter((image) => !image.startsWith(`${MIRROR}/`) && !image.startsWith('registry.example.com/')),
    ).toEqual([]);
    expect(images).toContain(`${MIRROR}/mlflow/mlflow:v3.18.0-full`);
    expect(JSON.stringify(manifests)).not.toMatch(/"image(Name)?":"[^"]*(ghcr|quay|docker|gcr)\.io/);
  });

  test('trust the CAs, and go through the proxy', () => {
    for (const each of pods.flatMap(containersOf)) {
      const isBundler = each.name === 'write-ca-bundle';
      expect(env(each)).toMatchObject({
        HTTP_PROXY: 'http://proxy.example.com:3128',
        HTTPS_PROXY: 'http://proxy.example.com:3128',
        ...(isBundler ? {} : { SSL_CERT_DIR: '/etc/ssl/certs:/etc/trusted-ca' }),
        LOG_FORMAT: 'json',
      });
      expect(each.volumeMounts).toContainEqual({ mountPath: '/etc/trusted-ca', name: 'trusted-ca', readOnly: true });
      if (['python', 'mlflow'].includes(each.command?.[0] as string) && !isBundler) {
        expect(env(each).SSL_CERT_FILE).toBe('/run/ca-bundle/ca-certificates.crt');
      }
    }
  });

  test('run where they may, with the labels and annotations of the cluster', () => {
    for (const { metadata, spec } of pods) {
      expect(spec.nodeSelector).toMatchObject({ pool: 'ml' });
      const own = { key: 'dedicated', value: 'services', effect: 'NoSchedule' };
      const tolerations = 'example.com/pool' in (spec.nodeSelector as object) ? [own] : ALL.tolerations;
      expect(spec.tolerations).toEqual(expect.arrayContaining(tolerations ?? []));
      expect(spec.priorityClassName).toBeDefined();
      expect(spec.imagePullSecrets).toBeDefined();
      expect(metadata.labels['example.com/site']).toBe('a');
      expect(metadata.annotations['sidecar.istio.io/inject']).toBe('false');
    }
  });

  test('keep what they select each other by', () => {
    const workloads = manifests.filter(({ spec }) => spec?.selector?.matchLabels !== undefined && templateOf({ spec }));
    expect(workloads.length).toBeGreaterThan(30);
    for (const { spec } of workloads) {
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
  });

  test('know the domain of the cluster', () => {
    expect(JSON.stringify(pods)).toContain('.svc.corp.local');
    expect(JSON.stringify(pods)).not.toContain('cluster.local');
  });

  test('have Services of both families, and the way to the DNS servers', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service');
    expect(new Set(services.map(({ spec }) => spec.ipFamilyPolicy))).toEqual(new Set(['PreferDualStack']));
    const dns = {
      ports: [5353, 5353],
      to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' } }, podSelector: {} }],
    };
    const isolated = manifests.filter(({ kind, spec }) => kind === 'NetworkPolicy' && spec.egress?.length > 0);
    expect(isolated.length).toBeGreaterThan(4);
    for (const { spec } of isolated) {
      const [{ ports, to }] = spec.egress;
      expect({ ports: ports.map(({ port }: Manifest) => port), to }).toEqual(dns);
    }
  });
});

describe('whatever makes a pod', () => {
  test.each<[string, (scope: Chart) => void]>([
    ['cdk8s-plus', (scope) => ownDeployment(scope)],
    ['a Pod', (scope) => new kplus.Pod(scope, 'own', { containers: [{ image: 'busybox:1' }] })],
    [
      'a CronJob',
      (scope) => new kplus.CronJob(scope, 'own', { schedule: Cron.daily(), containers: [{ image: 'busybox:1' }] }),
    ],
    [
      'a plain object',
      (scope) =>
        new ApiObject(scope, 'own', {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Rollout',
          spec: { template: { spec: { containers: [{ name: 'main', image: 'busybox:1' }] } } },
        }),
    ],
  ])('gets what the cluster asks: %s', (_, make) => {
    const scope = chart();
    make(scope);
    ClusterSettings.of(scope).apply({ podLabels: { team: 'ml' }, imageRegistry: ImageRegistry.mirror(MIRROR) });
    const [manifest] = Testing.synth(scope);
    const pod = manifest.kind === 'Pod' ? manifest : templateOf(manifest);
    expect(pod.metadata.labels.team).toBe('ml');
    expect(pod.spec.containers[0].image).toBe(`${MIRROR}/library/busybox:1`);
  });

  test('it is the same at a second synthesis', () => {
    const scope = chart();
    ClusterSettings.of(scope).apply(ALL);
    server(scope);
    expect(Testing.synth(scope)).toEqual(Testing.synth(scope));
  });

  test('what is added after a synthesis, and options that change, count at the next', () => {
    const scope = chart();
    ClusterSettings.of(scope).apply({ podLabels: { team: 'ml' } });
    Testing.synth(scope);
    ownDeployment(scope);
    ClusterSettings.of(scope).apply({ podLabels: { team: 'data' } });
    expect(only(Testing.synth(scope), 'Deployment').spec.template.metadata.labels.team).toBe('data');
  });

  test('the name of a Job follows', () => {
    const name = (options: ClusterOptions): string => {
      const { manifests } = examples(options);
      return manifests.find(({ kind, metadata }) => kind === 'Job' && (metadata.name as string).includes('migration'))
        .metadata.name;
    };
    expect(name({ podLabels: { team: 'a' } })).not.toBe(name({ podLabels: { team: 'b' } }));
  });

  test('an operator that makes pods is told', () => {
    const scope = chart();
    ClusterSettings.of(scope).apply(ALL);
    new CloudNativePostgres(scope, 'postgres', { imageName: 'ghcr.io/cloudnative-pg/postgresql:18', instances: 1 });
    expect(only(Testing.synth(scope), 'Cluster').spec).toMatchObject({
      affinity: { nodeSelector: { pool: 'ml' }, tolerations: ALL.tolerations },
      imageName: `${MIRROR}/cloudnative-pg/postgresql:18`,
      imagePullSecrets: [{ name: 'registry-login' }],
      inheritedMetadata: { annotations: { 'sidecar.istio.io/inject': 'false' } },
      priorityClassName: 'high',
    });
  });
});

describe('the nearest scope wins', () => {
  test('option by option, and labels by key', () => {
    const app = new App({ outdir: Testing.app().outdir });
    const scope = new Chart(app, 'chart');
    ClusterSettings.of(app).apply({ priorityClassName: 'low', podLabels: { team: 'all', site: 'a' } });
    ClusterSettings.of(scope).apply({ podLabels: { team: 'ml' } });
    const near = ownDeployment(scope, 'near');
    ClusterSettings.of(near).apply({ priorityClassName: 'high' });
    ownDeployment(scope, 'far');
    const [first, second] = Testing.synth(scope).map(({ spec }) => spec.template);
    expect([first, second].map(({ spec }) => spec.priorityClassName)).toEqual(['high', 'low']);
    expect(first.metadata.labels).toMatchObject({ team: 'ml', site: 'a' });
  });

  test('what a pod has by itself takes precedence', () => {
    const scope = chart();
    ClusterSettings.of(scope).apply({
      priorityClassName: 'low',
      imagePullSecrets: ['theirs'],
      podLabels: { 'app.kubernetes.io/name': 'other' },
      httpProxy: HttpProxy.at('http://proxy:3128'),
    });
    server(scope, {
      priorityClassName: 'high',
      imagePullSecrets: ['mine'],
      extraEnvVars: { NO_PROXY: kplus.EnvValue.fromValue('*') },
    });
    const manifests = Testing.synth(scope);
    const { metadata, spec } = only(manifests, 'Deployment').spec.template;
    expect(spec).toMatchObject({ priorityClassName: 'high', imagePullSecrets: [{ name: 'mine' }] });
    expect(metadata.labels['app.kubernetes.io/name']).toBe('mlflow');
    expect(env(containerOf(spec, 'mlflow')).NO_PROXY).toBe('*');
  });
});

describe('users', () => {
  test('of an id for all of the library, while others keep their own', () => {
    const scope = chart();
    ClusterSettings.of(scope).apply({ podUser: PodUser.fromId(2000, 3000) });
    server(scope);
    ownDeployment(scope, 'own', { securityContext: { user: 70 } });
    const [mine, own] = Testing.synth(scope)
      .filter(({ kind }) => kind === 'Deployment')
      .map(({ spec }) => spec.template.spec);
    expect(mine.securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000, fsGroup: 3000 });
    expect(mine.containers[0].securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000 });
    expect(own.containers[0].securityContext.runAsUser).toBe(70);
    expect(JSON.stringify(mine)).not.toContain('1001');
  });
});

describe('images', () => {
  const imageOf = (image: string, registry: ImageRegistry): string => {
    const scope = chart();
    ClusterSettings.of(scope).apply({ imageRegistry: registry });
    ownDeployment(scope, 'own', { image });
    return only(Testing.synth(scope), 'Deployment').spec.template.spec.containers[0].image;
  };

  test.each([
    ['postgres:18', `${MIRROR}/library/postgres:18`],
    ['docker.io/postgres:18', `${MIRROR}/library/postgres:18`],
    ['burakince/mlflow:3', `${MIRROR}/burakince/mlflow:3`],
    ['localhost:5000/mlflow:3', `${MIRROR}/mlflow:3`],
    ['quay.io/a/b@sha256:' + 'a'.repeat(64), `${MIRROR}/a/b@sha256:` + 'a'.repeat(64)],
    ['registry.example.com/team/mlflow:3', 'registry.example.com/team/mlflow:3'],
  ])('%s from a mirror', (image, expected) => {
    expect(imageOf(image, ImageRegistry.mirror(MIRROR))).toBe(expected);
  });

  test('of the examples are the defaults, or their own', () => {
    const images = new Set(
      examples({})
        .pods.flatMap(containersOf)
        .map(({ image }) => image as string),
    );
    const others = [...images].filter((image) => !Object.values(DefaultImages.all()).includes(image));
    expect(others.filter((image) => !/example|your|burakince/.test(image))).toEqual([]);
    expect(images.size - others.length).toBe(Object.keys(DefaultImages.all()).length - 1);
  });

  test('from a mirror for each registry', () => {
    const mirrors = ImageRegistry.mirrors({ 'docker.io': 'registry.example.com/hub' });
    expect(imageOf('postgres:18', mirrors)).toBe('registry.example.com/hub/library/postgres:18');
    expect(imageOf('quay.io/a/b:1', mirrors)).toBe('quay.io/a/b:1');
    expect(imageOf('postgres:18', ImageRegistry.asWritten())).toBe('postgres:18');
  });
});

describe('the proxy', () => {
  test('is left out for what is in the cluster', () => {
    const scope = chart('team');
    ClusterSettings.of(scope).apply({ httpProxy: HttpProxy.fromSecret(SecretKey.fromSecretName('proxy', 'url')) });
    server(scope, {
      extraEnvVars: {
        MINIO: kplus.EnvValue.fromValue('http://minio:9000'),
        OTHER: kplus.EnvValue.fromValue('http://mlflow.team:5000,https://files.example.com'),
      },
    });
    const variables = env(containerOf(podOf(Testing.synth(scope)), 'mlflow'));
    expect(variables.HTTPS_PROXY).toEqual({ secretKeyRef: { key: 'url', name: 'proxy' } });
    expect(variables.NO_PROXY.split(',')).toEqual([
      ...['localhost', '127.0.0.1', '::1', '.svc', '.cluster.local'],
      ...['169.254.169.254', '169.254.170.2', '169.254.170.23', 'fd00:ec2::23', 'metadata.google.internal'],
      ...['minio', 'mlflow.team'],
    ]);
  });
});

test.each([
  [IpFamilies.IPV4, { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }],
  [IpFamilies.IPV6, { ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' }],
  [IpFamilies.REQUIRE_DUAL_STACK, { ipFamilyPolicy: 'RequireDualStack' }],
])('Services of %s', (ipFamilies, expected) => {
  const scope = chart();
  ClusterSettings.of(scope).apply({ ipFamilies });
  server(scope);
  const { spec } = only(Testing.synth(scope), 'Service');
  expect({ ipFamilies: spec.ipFamilies, ipFamilyPolicy: spec.ipFamilyPolicy }).toEqual({
    ipFamilies: undefined,
    ...expected,
  });
});

test('logs of oauth2-proxy are JSON by its own templates', () => {
  const pod = examples({ logFormat: LogFormat.JSON })
    .pods.flatMap(containersOf)
    .find(({ name }) => name === 'oauth2-proxy');
  expect(env(pod).OAUTH2_PROXY_STANDARD_LOGGING_FORMAT).toBe(
    '{"time":{{printf "%q" .Timestamp}},"message":{{printf "%q" .Message}},"logger":{{printf "%q" .File}}}',
  );
});

test('containers of a pod share nothing that YAML would make an anchor of', () => {
  const scope = chart();
  ClusterSettings.of(scope).apply({
    ...ALL,
    httpProxy: HttpProxy.fromSecret(SecretKey.fromSecretName('proxy', 'url')),
  });
  server(scope);
  expect(Yaml.stringify(...(Testing.synth(scope) as unknown[]))).not.toMatch(/[&*]a\d/);
});

test('one error says all that is wrong', () => {
  const scope = chart();
  const apply = (): void => {
    ClusterSettings.of(scope).apply({
      podUser: PodUser.fromId(0),
      imageRegistry: ImageRegistry.mirror('https://registry.example.com'),
      imagePullSecrets: ['Mine'],
      trustedCa: FileSource.fromSecret('CA', 'ca.crt'),
      httpProxy: HttpProxy.at('http://me:secret@proxy:3128', { noProxy: ['http://a'] }),
      clusterDomain: 'corp.local.',
      dns: { peers: [NetworkPeer.cidr('10.0.0.0')] },
      nodeSelector: { 'a b': 'c' },
      tolerations: [{ operator: 'Equal' }, { key: 'a', operator: 'Has', effect: 'Never', tolerationSeconds: 5 }],
      priorityClassName: 'High',
      podLabels: { team: 'a b' },
    });
  };
  expect(apply).toThrow(
    new Error(
      [
        '`podUser.user` must be a whole number from 1 to 2147483647, got 0.',
        '`imageRegistry.prefix` must be a registry with an optional path: host[:port][/path], got "https://registry.example.com".',
        '`imagePullSecrets[0]` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Mine".',
        '`trustedCa` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "CA".',
        '`httpProxy.url` must not contain a login: manifests are no secrets. Use HttpProxy.fromSecret.',
        '`httpProxy.noProxy[0]` must be one host, domain or address, without scheme, got "http://a".',
        '`clusterDomain` must be a DNS domain (cluster.local), got "corp.local.".',
        '`dns.peers[0]` must be addresses in CIDR notation (10.20.0.0/16), got "10.0.0.0".',
        '`nodeSelector` must have keys of at most 63 letters, digits, dashes, underscores and dots, after an optional DNS name and a slash, got "a b".',
        '`tolerations[0].operator` must be Exists without `key`, got "Equal". It then tolerates every taint.',
        '`tolerations[1].operator` must be Equal or Exists, got "Has".',
        '`tolerations[1].effect` must be NoSchedule or PreferNoSchedule or NoExecute, got "Never".',
        '`tolerations[1].tolerationSeconds` must be left out unless `effect` is NoExecute, got 5.',
        '`priorityClassName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "High".',
        '`podLabels.team` must be at most 63 letters, digits, dashes, underscores and dots, with a letter or digit at each end, got "a b". Put free text into an annotation.',
      ]
        .map((text) => `[chart] ${text}`)
        .join('\n'),
    ),
  );
});

test('a server without settings is as it is', () => {
  const plain = chart();
  server(plain, { backend: anyBackend(plain) });
  const empty = chart();
  ClusterSettings.of(empty).apply({});
  server(empty, { backend: anyBackend(empty) });
  expect(Testing.synth(empty)).toEqual(Testing.synth(plain));
});
