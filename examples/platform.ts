import { ApiObject, Chart, Cron, Duration, JsonPatch } from 'cdk8s';
import {
  AwsIdentity,
  DatabaseBootstrap,
  DatabaseConnectionCheck,
  ExistingSecretPostgres,
  ExternalSecret,
  FileSource,
  type IPostgresBackend,
  MlflowAuth,
  MlflowGarbageCollection,
  MlflowServer,
  NetworkPeer,
  PoolingProfile,
  PostgresCredentials,
  PostgresDatabase,
  PostgresExporter,
  PostgresTls,
  type RemoteSecretKey,
  S3Artifacts,
  SecretKey,
  SecretStoreReference,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A team: its size, and its budget of connections to PostgreSQL. */
interface Team {
  readonly name: string;
  readonly replicas: number;
  readonly connections: number;
}

const TEAMS: readonly Team[] = [
  { name: 'vision', replicas: 2, connections: 120 },
  { name: 'text', replicas: 1, connections: 60 },
];

/** One chart, and so one file, for what the teams share, and one for each team. A new team is a new line in the list. */
export function addPlatform(app: Construct, teams = TEAMS): void {
  const platform = new Platform(app, 'platform');
  platform.makeDatabases(teams.map((team) => new TeamSpace(app, `team-${team.name}`, team, platform.postgres)));
}

/** PostgreSQL, whose connections are counted over all charts, and the Gateway. Only here is the login of the administrator. */
class Platform extends Chart {
  public readonly postgres: IPostgresBackend;

  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow-platform' });
    addNamespace(this);

    this.postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      database: 'postgres',
      secretName: login(this, 'postgres-admin'),
      // The ConfigMap is in every namespace, by trust-manager for example.
      tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('postgres-ca', 'ca.crt') }),
      maxConnections: 200,
    });
    new PostgresExporter(this, 'postgres-exporter', {
      backend: this.postgres,
      credentials: PostgresCredentials.fromSecretName(login(this, 'postgres-monitoring')),
    });
    const allowedRoutes = { namespaces: { from: 'Selector', selector: { matchLabels: { 'mlflow-team': 'true' } } } };
    const tls = { mode: 'Terminate', certificateRefs: [{ name: 'mlflow-tls' }] };
    new ApiObject(this, 'gateway', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'mlflow' },
      spec: {
        gatewayClassName: 'your-gateway-class',
        listeners: [
          { name: 'https', hostname: '*.mlflow.example.com', port: 443, protocol: 'HTTPS', tls, allowedRoutes },
        ],
      },
    });
  }

  /** One Job makes all databases and their owners. It reads the logins from Secrets of its own namespace. */
  public makeDatabases(teams: readonly TeamSpace[]): void {
    teams.forEach(({ team }) => login(this, `${team}-database`));
    const [backend, ...furtherBackends] = teams.map(({ database }) => database);
    if (backend !== undefined) {
      const admin = PostgresCredentials.fromSecretName('postgres-admin');
      new DatabaseBootstrap(this, 'bootstrap', { backend, furtherBackends, admin, isolation: {} });
    }
  }
}

/** A namespace of a team, with a quota. Pods of other teams do not get in; its server has a database and a bucket of its own. */
class TeamSpace extends Chart {
  public readonly team: string;
  public readonly database: PostgresDatabase;

  public constructor(scope: Construct, id: string, { name, replicas, connections }: Team, server: IPostgresBackend) {
    super(scope, id, { namespace: `mlflow-${name}` });
    this.team = name;
    addNamespace(this, { 'mlflow-team': 'true' });
    this.addLimits(replicas);

    this.database = new PostgresDatabase(this, 'database', {
      server,
      database: name,
      credentials: PostgresCredentials.fromSecretName(login(this, `${name}-database`)),
    });
    const { secretName } = fromVault(this, `${name}-auth`, ['admin-password', 'flask-key', 'passphrase']);
    const mlflow = new MlflowServer(this, 'mlflow', {
      backend: this.database,
      replicas,
      // The budget, without the connections of the garbage collection. A rolling update adds a pod.
      pooling: PoolingProfile.fitting({ connections: connections - 3, pods: replicas + 1, usersInDatabase: true }),
      auth: MlflowAuth.basic({
        adminPassword: SecretKey.fromSecretName(secretName, 'admin-password'),
        flaskSecretKey: SecretKey.fromSecretName(secretName, 'flask-key'),
      }),
      encryption: { passphrase: SecretKey.fromSecretName(secretName, 'passphrase') },
      artifactRoot: new S3Artifacts({
        bucket: `your-mlflow-${name}`,
        region: 'eu-west-1',
        identity: AwsIdentity.fromRole(`arn:aws:iam::123456789012:role/mlflow-${name}`),
      }),
      databaseConnectionCheck: DatabaseConnectionCheck.initContainer({ databaseMayAppear: true }),
      httpRoute: {
        gateways: [{ name: 'mlflow', gatewayNamespace: 'mlflow-platform' }],
        hosts: [`${name}.mlflow.example.com`],
      },
      // The pods of the Gateway are in its namespace.
      isolation: { ingressControllers: [NetworkPeer.inNamespace('mlflow-platform')] },
    });
    new MlflowGarbageCollection(this, 'mlflow-gc', {
      server: mlflow,
      schedule: Cron.daily(),
      olderThan: Duration.days(30),
    });
  }

  private addLimits(replicas: number): void {
    // The pods of the server, one more in a rolling update, and one of the garbage collection.
    const pods = String(replicas + 2);
    new ApiObject(this, 'quota', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'team' },
      spec: {
        hard: { pods, 'requests.cpu': pods, 'requests.memory': `${pods}Gi`, persistentvolumeclaims: '0' },
      },
    });
    new ApiObject(this, 'default-deny', {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'default-deny' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
  }
}

function addNamespace(chart: Chart, labels?: Record<string, string>): void {
  const metadata = { name: chart.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted', ...labels } };
  const namespace = new ApiObject(chart, 'namespace', { apiVersion: 'v1', kind: 'Namespace', metadata });
  // The chart puts everything into its namespace, where this one cannot be.
  namespace.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
}

/** A login from a store: the Secret, with the keys `username` and `password`, is named by the id. */
function login(scope: Construct, id: string): string {
  return fromVault(scope, id, ['username', 'password']).secretName;
}

function fromVault(scope: Construct, id: string, properties: readonly string[]): ExternalSecret {
  const keys: Record<string, RemoteSecretKey> = {};
  for (const property of properties) {
    keys[property] = { key: `mlflow/${id}`, property };
  }
  return new ExternalSecret(scope, id, { store: SecretStoreReference.fromClusterSecretStoreName('vault'), keys });
}
