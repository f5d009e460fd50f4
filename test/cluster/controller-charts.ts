// Charts for the controllers that a cluster may have: charts.ts adds them.
import { type App, Chart, Cron, Duration } from 'cdk8s';
import {
  Autoscaling,
  BackupLocation,
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  FileSource,
  IngressController,
  KedaTrigger,
  MlflowAuth,
  MlflowGarbageCollection,
  MlflowMonitoring,
  MlflowServer,
  NetworkPeer,
  Persistence,
  PgBouncer,
  PoolingProfile,
  PostgresBackup,
  PostgresExporter,
  PrometheusScrape,
  SecretKey,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';

function postgres(chart: Chart): BitnamiPostgres {
  return new BitnamiPostgres(chart, 'postgres', {
    username: 'mlflow',
    passwords: BitnamiPasswords.fromLiterals({ password: 'mlflow_password' }),
  });
}

function sharedArtifacts(): VolumeArtifacts {
  return new VolumeArtifacts({
    persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
  });
}

/** From one pod to three, and back sooner than after the five minutes of the default. */
function autoscaled(app: App): void {
  const chart = new Chart(app, 'autoscaled');
  new MlflowServer(chart, 'mlflow', {
    backend: postgres(chart),
    artifactRoot: sharedArtifacts(),
    pooling: PoolingProfile.HIGH_AVAILABILITY,
    workers: 1,
    autoscaling: Autoscaling.byResources({
      minReplicas: 1,
      maxReplicas: 3,
      // Far below what clients cause, and far above what a pod needs to idle, on a slow node, too.
      cpuPercent: 30,
      scaleDown: { stabilizationWindow: Duration.minutes(1) },
    }),
  });
}

/** HTTPS at the server, and TLS between it and a PgBouncer, with certificates that cert-manager makes. */
function renewedCertificate(app: App): void {
  const chart = new Chart(app, 'renewed-certificate');
  const pgBouncer = new PgBouncer(chart, 'pgbouncer', {
    backend: postgres(chart),
    clientTls: {
      certificate: FileSource.fromSecret('pgbouncer-tls', 'tls.crt'),
      privateKey: FileSource.fromSecret('pgbouncer-tls', 'tls.key'),
      ca: FileSource.fromSecret('pgbouncer-tls', 'ca.crt'),
    },
  });
  new MlflowServer(chart, 'mlflow', {
    backend: pgBouncer,
    certificate: TlsCertificate.fromSecretName('mlflow-tls'),
    threads: 4,
  });
}

/** HTTPS at the server, below a path, with an Ingress and an HTTPRoute of Traefik, and closed to all others. */
function throughTraefik(app: App): void {
  const chart = new Chart(app, 'through-traefik', { namespace: 'mlflow-traefik' });
  new MlflowServer(chart, 'mlflow', {
    backend: postgres(chart),
    certificate: TlsCertificate.fromSecretName('mlflow-tls'),
    staticPrefix: '/tracking',
    corsAllowedOrigins: ['http://notebooks.example.com'],
    encryption: { passphrase: SecretKey.fromSecretName('mlflow-passphrase', 'passphrase') },
    aiGateway: {
      allowPrivateAddresses: true,
      allowHttp: true,
      upstreams: [{ peers: [NetworkPeer.pods({ app: 'model' })], ports: [8000] }],
    },
    isolation: { clients: [], ingressControllers: [NetworkPeer.TRAEFIK] },
    ingress: {
      hosts: ['ingress.example.com'],
      className: 'traefik',
      controller: IngressController.traefik({ ca: FileSource.fromSecret('mlflow-tls', 'ca.crt') }),
    },
    httpRoute: {
      gateways: [{ name: 'public' }],
      hosts: ['route.example.com'],
      https: false,
      backendTls: { ca: FileSource.fromConfigMap('mlflow-ca', 'ca.crt') },
    },
  });
}

/** Behind the operator's own pooler. */
function pooledCloudNative(app: App): void {
  const chart = new Chart(app, 'cloud-native-pooled');
  const backend = new CloudNativePostgres(chart, 'postgres', { pooler: {} });
  new MlflowServer(chart, 'mlflow', { backend });
}

/** Reads go to the standbys. */
function cloudNativeReplicas(app: App): void {
  const chart = new Chart(app, 'cloud-native-replicas');
  new MlflowServer(chart, 'mlflow', {
    backend: new CloudNativePostgres(chart, 'postgres', {}),
    readFromReplica: true,
  });
}

/** PostgreSQL 15, which the test upgrades. */
function oldCloudNative(app: App): void {
  const chart = new Chart(app, 'cloud-native-upgrade');
  const backend = new CloudNativePostgres(chart, 'postgres', { imageName: 'ghcr.io/cloudnative-pg/postgresql:15' });
  new MlflowServer(chart, 'mlflow', { backend });
}

/** All that Prometheus watches: a server with a login and HTTPS, closed to others, its database and its operations. */
function watched(app: App): void {
  const chart = new Chart(app, 'watched', { namespace: 'mlflow-watched' });
  const backend = postgres(chart);
  const server = new MlflowServer(chart, 'mlflow', {
    backend,
    auth: MlflowAuth.basic({
      adminPassword: SecretKey.fromSecretName('mlflow-auth', 'admin-password'),
      flaskSecretKey: SecretKey.fromSecretName('mlflow-auth', 'flask-key'),
    }),
    encryption: { passphrase: SecretKey.fromSecretName('mlflow-auth', 'passphrase') },
    certificate: TlsCertificate.fromSecretName('mlflow-tls'),
    isolation: {},
    metrics: true,
    workers: 1,
    threads: 4,
  });
  new MlflowMonitoring(chart, 'mlflow-monitoring', {
    server,
    scrape: PrometheusScrape.serviceMonitor({
      interval: Duration.seconds(15),
      basicAuthSecretName: 'mlflow-scraper',
      tls: { ca: FileSource.fromSecret('mlflow-tls', 'ca.crt') },
    }),
    postgresExporter: new PostgresExporter(chart, 'postgres-exporter', { backend }),
    volumeClaims: backend.volumeClaims,
    thresholds: { backupAge: Duration.minutes(4) },
    backups: [
      new PostgresBackup(chart, 'mlflow-backup', {
        backend,
        schedule: Cron.schedule({ minute: '*' }),
        target: BackupLocation.volume(Persistence.newClaim()),
        retention: { count: 2 },
      }),
    ],
    operations: [
      new MlflowGarbageCollection(chart, 'mlflow-gc', {
        server,
        schedule: Cron.schedule({ minute: '*' }),
        olderThan: Duration.days(30),
      }),
    ],
  });
}

/** By requests for each pod that a Prometheus counts. */
function scaledByRequests(app: App): void {
  const chart = new Chart(app, 'scaled-by-requests', { namespace: 'mlflow-scaled' });
  const server = new MlflowServer(chart, 'mlflow', {
    backend: postgres(chart),
    artifactRoot: sharedArtifacts(),
    pooling: PoolingProfile.HIGH_AVAILABILITY,
    workers: 1,
    metrics: true,
    autoscaling: Autoscaling.keda({
      minReplicas: 1,
      maxReplicas: 3,
      fallbackReplicas: 2,
      pollingInterval: Duration.seconds(5),
      triggers: [
        KedaTrigger.requests({ prometheusAddress: 'http://prometheus-operated.monitoring:9090', perSecondAndPod: 20 }),
      ],
    }),
  });
  new MlflowMonitoring(chart, 'mlflow-monitoring', {
    server,
    scrape: PrometheusScrape.serviceMonitor({ interval: Duration.seconds(5) }),
  });
}

export function addControllerCharts(app: App): void {
  autoscaled(app);
  renewedCertificate(app);
  throughTraefik(app);
  pooledCloudNative(app);
  cloudNativeReplicas(app);
  oldCloudNative(app);
  watched(app);
  scaledByRequests(app);
}
