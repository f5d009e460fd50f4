// What generated apps give for a prop: values that are right, and mistakes that a person makes.

const LONG = (length) => 'm'.repeat(length);

/** Of any text, whatever it is for. */
const NO_TEXT = ['', ' ', 5432, true, ' padded ', 'two words', 'line\nbreak', LONG(300)];
const NO_NUMBER = [-1, 0, 1.5, Number.NaN, '3', 2 ** 31, 2 ** 53];

const NAME = {
  right: ['mlflow-db', 'team-a', 'x1'],
  wrong: ['Mlflow', 'my_db', '-x', 'x-', 'my.name', 'a/b', 'https://x', '1st', 'ä', LONG(53), LONG(64), LONG(254)],
};
const LABELS = {
  right: [
    ['team', 'ml'],
    ['example.com/team', 'ml'],
  ],
  wrong: [
    ['bad key', 'x'],
    ['a/b/c', 'x'],
    ['-x', 'x'],
    ['', 'x'],
    ['Example.COM/x', 'x'],
    [LONG(64), 'x'],
    ['team', 'two words'],
    ['team', LONG(64)],
    ['team', 'https://x'],
    ['team', '-x'],
    ['team', 5],
    ['team', true],
  ],
};

/**
 * By prop, as `Owner.prop` or `Owner.factory.parameter`: the first that matches. A new prop that none matches gets the values of
 * its type.
 */
const BY_NAME = [
  [
    /image(name)?$/i,
    {
      right: ['registry.example.com/team/mlflow:v3.1.0', `mlflow@sha256:${'a'.repeat(64)}`, 'localhost:5000/mlflow:1'],
      wrong: [
        '/mlflow:v1',
        'https://reg/mlflow:v1',
        'Reg/MLflow:v1',
        'mlflow@sha256:abc',
        'mlflow:a:b',
        'undefined/:v1',
        'mlflow:',
      ],
    },
  ],
  [/acknowledge\.rule$/, { right: ['unique-name'], wrong: ['unique'] }],
  [/Cron.*\.(minute)$/i, { right: ['0', '*/5'], wrong: ['61', 'x', '*/0', '* *'] }],
  [/Cron.*\.(hour)$/i, { right: ['3'], wrong: ['24', '-1'] }],
  [/Cron.*\.(day|month|weekDay)$/i, { right: ['*', '1'], wrong: ['99', 'someday'] }],
  [/timeZone$/, { right: ['Europe/Berlin', 'Etc/UTC'], wrong: ['Local', 'Berlin', 'CEST+1', 'local', 'TZ=UTC'] }],
  [
    /namespace(Name)?$|inNamespace\.name$/i,
    { right: ['team-a', 'monitoring'], wrong: ['my.ns', 'NS', '-x', 'my_ns', LONG(64)] },
  ],
  [
    /excluded$/,
    { right: ['10.1.2.0/24', '10.1.128.0/17'], wrong: ['10.1.2.0', '192.168.0.0/24', '10.0.0.0/8', '2001:db8::/48'] },
  ],
  [
    /(cidr|SourceRanges)$/,
    {
      right: ['10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32'],
      wrong: [
        '10.0.0.0',
        '10.0.0.1/8',
        '10.0.0.0/33',
        '300.0.0.0/8',
        '010.0.0.0/8',
        '10.0.0.0/08',
        'example.com',
        '::/129',
        '::ffff:10.0.0.0/104',
      ],
    },
  ],
  [
    /(Ingress|HttpRoute)\w*\.hosts$/,
    {
      right: ['mlflow.example.com', '*.example.com'],
      wrong: [
        '10.0.0.1',
        'https://mlflow.example.com',
        'mlflow.example.com:443',
        'MLflow.example.com',
        'a_b.example.com',
        'a..b',
        '*',
        '*.*.com',
        'a.*.com',
        'mlflow.',
        `${LONG(64)}.com`,
        '::1',
        'mlflow.example.com/x',
      ],
    },
  ],
  [
    /(Ingress|HttpRoute)\w*\.path$|staticPrefix$/,
    {
      right: ['/mlflow', '/a/b'],
      wrong: ['mlflow', '/a//b', '/a b', '/a/../b', '/a?b=c', '//', '/ä', '/a/', '/a%2fb', `/${LONG(2000)}`, '/a[b]'],
    },
  ],
  [
    /Rds\w*\.(host|readHost|failoverHosts)$/,
    {
      right: ['mlflow.abc123.eu-central-1.rds.amazonaws.com'],
      wrong: ['db.example.com', 'Mlflow.abc.eu-central-1.rds.amazonaws.com'],
    },
  ],
  [
    /(allowedHosts|failoverHosts|readHost|\.host)$/i,
    { right: ['db.example.com', '10.1.2.3'], wrong: ['https://db', 'db:5432', 'a b', 'db/x', LONG(300)] },
  ],
  [/nodePort$/, { right: [30080, 31000], wrong: [80, 0, -1, 32768, 70000, '30080', 30080.5] }],
  [/Port$|\.port$|ports$/, { right: [80, 5000, 8443], wrong: [0, -1, 65536, 80.5, '80', Number.NaN, 1e9] }],
  [/percent$/i, { right: [50, 80], wrong: [0, -5, 101, 79.5, '80', 1e10] }],
  [
    /topologyKey$/,
    { right: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'], wrong: ['', 'a b', 'a/b/c', '-x'] },
  ],
  [/whenUnsatisfiable$/, { right: ['ScheduleAnyway', 'DoNotSchedule'], wrong: ['Always', 'doNotSchedule', ''] }],
  [/node(Affinity|Taints)Policy$/, { right: ['Honor', 'Ignore'], wrong: ['honor', ''] }],
  [/Toleration\.operator$/, { right: ['Exists'], wrong: ['exists', ''] }],
  [/Toleration\.effect$/, { right: ['NoExecute'], wrong: ['noSchedule', ''] }],
  [/Toleration\.value$/, { right: [''], wrong: ['a b'] }],
  [/Toleration\.key$/, { right: ['dedicated', 'example.com/pool'], wrong: ['a b', 'a/b/c', '-x'] }],
  [/clusterDomain$/, { right: ['corp.local'], wrong: ['corp.local.', 'Corp', 'a b', '.local'] }],
  [/noProxy$/, { right: ['.example.com', '10.0.0.0/8'], wrong: ['http://a', 'a b', 'a,b'] }],
  [
    /ImageRegistry\.mirror\.prefix$/,
    { right: ['registry.example.com/mirror'], wrong: ['https://a', 'a b', 'a/', '/a'] },
  ],
  [/LabelSelectorRequirement.*operator$/, { right: ['Exists'], wrong: ['in', ''] }],
  [
    /annotations$/i,
    {
      right: [
        ['example.com/note', 'two words'],
        ['note', ''],
      ],
      wrong: [
        ['bad key', 'x'],
        ['a/b/c', 'x'],
        ['', 'x'],
        [LONG(64), 'x'],
        ['x', 5],
        ['x', true],
        ['x', LONG(263000)],
      ],
    },
  ],
  [/labels$|nodeSelector$/i, LABELS],
  [
    /extra\w*EnvVars$|envVariables$/i,
    { right: [['FOO'], ['MY_SETTING']], wrong: [['1FOO'], ['MY VAR'], ['A=B'], [''], ['ä']] },
  ],
  [
    /initScripts$/,
    {
      right: [['10-schema.sql', 'SELECT 1']],
      wrong: [
        ['a/b.sql', 'x'],
        ['', 'x'],
        ['..', 'x'],
        ['two words.sql', 'x'],
        [LONG(254), 'x'],
        ['x.sql', 5],
      ],
    },
  ],
  [/ExternalSecretProps\.keys$/, { right: [['password']], wrong: [['a/b'], [''], ['two words']] }],
  [
    /settings$/i,
    {
      right: [['work_mem', '64MB']],
      wrong: [
        ['bad key', 'x'],
        ['work_mem', 'a\nb'],
        ['work_mem', 5],
        ['', 'x'],
      ],
    },
  ],
  [
    /(parameters|uploadExtraArgs)$/i,
    {
      right: [['StorageClass', 'STANDARD']],
      wrong: [
        ['', 'x'],
        ['a', 5],
      ],
    },
  ],
  [
    /(\.key|Key|\w+Key)$/,
    { right: ['password', 'tls.crt', 'KEY_1'], wrong: ['a/b', 'two words', '..', '.', LONG(254), 'ä', '', 5] },
  ],
  [/\.instanceConnectionName$/, { right: ['my-project:europe-west1:mlflow'], wrong: ['instance', 'a:b'] }],
  [/roleArn$/, { right: ['arn:aws:iam::123456789012:role/mlflow'], wrong: ['mlflow', 'arn:aws:s3:::bucket'] }],
  [
    /fromServiceAccount\.serviceAccount$/,
    { right: ['mlflow@project.iam.gserviceaccount.com'], wrong: ['mlflow', 'a@b', 'mlflow@project.iam'] },
  ],
  [/iam\.user$/, { right: ['mlflow@project.iam'], wrong: ['mlflow', 'a@b', 'mlflow@project.iam.gserviceaccount.com'] }],
  [
    /(url|endpoint|address|origins)$/i,
    {
      right: ['https://service.example.com', 'http://service:9090'],
      wrong: ['service', 'ftp://x', 'https://', 'https://a b', '10.0.0.1'],
    },
  ],
  [/bucket$/, { right: ['mlflow-artifacts'], wrong: ['My_Bucket', 's3://bucket', 'a/b'] }],
  [/\.account$/, { right: ['mlflowstore'], wrong: ['My-Account'] }],
  [/\.dump$/, { right: ['newest'], wrong: ['latest', 'a b'] }],
  [/\.prefix$/, { right: ['team/a'], wrong: ['/x', 'x/', 'a b', '../x', 's3://bucket/a'] }],
  [/\.port > EnvValue/, { right: ['5432'], wrong: ['http', '99999', '0'] }],
  [/(old|new)Prefix$/, { right: ['s3://bucket/a', 'team/a'], wrong: ['/x', 'x/', 'a b', '../x'] }],
  [
    /artifactsDestination$|ArtifactRoot$/i,
    { right: ['/mlflow/artifacts', 's3://bucket/a'], wrong: ['relative', 'file:///x'] },
  ],
  [/poolClass$/, { right: ['QueuePool', 'NullPool'], wrong: ['Pool'] }],
  [/duration$|Duration\.parse/, { right: ['PT5M', 'PT1H'], wrong: ['5m', 'x'] }],
  [/region$/, { right: ['eu-central-1'], wrong: ['Europe', 'eu central'] }],
  [/clientId$/, { right: ['11111111-2222-3333-4444-555555555555', 'mlflow'], wrong: ['a b'] }],
  [/extraArgs$/, { right: ['--max-sigterm-delay=5s', '--verbose'], wrong: ['x', '--', '$(FOO)', '-p'] }],
  [/emailDomains$/, { right: ['example.com'], wrong: ['*', '@example.com'] }],
  [/authQuery$/, { right: ['SELECT usename, passwd FROM pgbouncer.get_auth($1)'], wrong: ['SELECT 1', "a'b"] }],
  [/revision$|version$/, { right: ['1', 'a1b2'], wrong: ['a b'] }],
  [
    /\.(database|owner|user|\w*username|\w*database)$/i,
    { right: ['mlflow', 'team_a'], wrong: ['my db', "a'b", 'a"b', 'Mlflow', 'a=b', LONG(64), '$(X)'] },
  ],
  [/password$/i, { right: ['s3cret', "it's $(odd) 'x'"], wrong: [12345, ''] }],
  [/FileStoreSource.*path$/, { right: ['mlruns', 'data/mlruns'], wrong: ['/mlruns', 'data/../mlruns'] }],
  [/SqliteSource.*path$/, { right: ['mlflow.db', 'data/mlflow.db'], wrong: ['/mlflow.db', '../mlflow.db'] }],
  [/path$/i, { right: ['/data'], wrong: ['relative', '/a:b', '/', '..'] }],
  [/fallback|replicas|instances|workers|threads|pods$/i, { right: [1, 2, 3], wrong: NO_NUMBER }],
  [/maxConnections$|connections$/i, { right: [200, 500], wrong: [1, 9] }],
  [/Duration\.millis/, { right: [60000], wrong: [1, 1500] }],
  [/Duration\.days/, { right: [1, 30], wrong: [0, 0.5, 1e6] }],
  [/Duration\./, { right: [60, 300, 3600], wrong: [0, 0.5, 1, 1e9, 1e11] }],
  [/request > Size\.kibibytes/, { right: [262144, 524288], wrong: [0, 1, 0.5, 2 ** 53] }],
  [/request > Size\.mebibytes/, { right: [64, 256], wrong: [0, -1, 1, 0.5, 2 ** 53] }],
  [/request > Cpu\.millis/, { right: [50, 100], wrong: [0, -100, 0.5, Number.NaN, 2 ** 53] }],
  [/request > Cpu\.units/, { right: [0.1, 0.5], wrong: [0, -1, 0.0001, 64, Number.NaN] }],
  [/limit > Cpu\.millis/, { right: [500, 2000], wrong: [0, -100, 0.5, Number.NaN, 2 ** 53] }],
  [/limit > Cpu\.units/, { right: [1, 2], wrong: [0, -1, 0.0001, Number.NaN] }],
  [/Size\.kibibytes/, { right: [1048576, 4194304], wrong: [0, 1, 0.5, 2 ** 53] }],
  [/Size\.mebibytes/, { right: [512, 2048], wrong: [0, -1, 1, 0.5, 2 ** 53] }],
  [/Size\./, { right: [1, 8], wrong: [0, -1, 0.0001, 2 ** 40] }],
  [/Cpu\.millis/, { right: [100, 500, 2000], wrong: [0, -100, 0.5, Number.NaN, 2 ** 53] }],
  [/Cpu\.units/, { right: [1, 2, 0.5], wrong: [0, -1, 0.0001, Number.NaN] }],
  [/(Ratio|Usage)$/, { right: [0.5, 0.9], wrong: [0, -1, 50, Number.NaN] }],
  [/Name$|\.name$/, NAME],
];

const BY_TYPE = {
  string: { right: ['mlflow', 'example'], wrong: ['ä', LONG(300)] },
  number: { right: [1, 2, 10], wrong: [] },
  boolean: { right: [true, false], wrong: ['true', 'yes', 1] },
  any: { right: ['x', 1], wrong: [] },
  json: { right: [{ a: 1 }], wrong: [] },
  date: { right: [new Date(0)], wrong: [] },
};

/** Values of a prop by its place and its primitive type. */
export function valuesOf(place, primitive) {
  const found = BY_NAME.find(([pattern, { right }]) => pattern.test(place) && typeof right[0] === primitive)?.[1];
  const { right, wrong } = found ?? BY_TYPE[primitive] ?? BY_TYPE.string;
  const others = { string: NO_TEXT, number: NO_NUMBER }[primitive] ?? [];
  // What is wrong for this prop in particular comes up as often as what is wrong anywhere.
  return { right, wrong: [wrong, others].filter((pool) => pool.length > 0) };
}

/** Keys of a map by its place, and its values where they are texts. */
export function entriesOf(place) {
  const found = BY_NAME.find(([pattern, { right }]) => pattern.test(place) && Array.isArray(right[0]))?.[1];
  return found ?? LABELS;
}

/** Ids of constructs become names of objects. */
export const IDS = { right: [], wrong: [NAME.wrong, ['mlflow server', 'm'.repeat(40), 'm'.repeat(58)]] };

/**
 * Of other libraries' types: the factories by which apps get an object, where not all make sense, and the structs whose optional
 * props are given. What else a user can do with them is not ours to prove.
 */
export const OTHERS = {
  factories: {
    EnvValue: ['fromValue', 'fromSecretValue', 'fromConfigMap'],
    Volume: ['fromEmptyDir'],
    ISecret: ['fromSecretName'],
    IConfigMap: ['fromConfigMapName'],
    IServiceAccount: ['fromServiceAccountName'],
  },
  structs: /^(ChartProps|CronOptions|\w*Resources|Scaling\w+|k8s\..*)$/,
};

/** What a prop needs beside it. */
const withProp = (name, other) => (given) => given.has(name) && given.add(other);

/** What fits a place where its type takes more, by the names of factories and members; and props that need each other. */
export const FITTING = {
  ways: [
    [/RdsPostgresProps\.tls$/, /verifyFull|REQUIRE/],
    [/PostgresRestoreProps\.source$/, /s3/],
    [/^BackupLocation\.volume/, /newClaim|existingClaim/],
    [/CloudSqlPostgresProps\.login$/, /iam|password/],
    [/DatabaseBootstrapProps\.backend$/, /^(Bitnami|External|ExistingSecret|CloudNative)Postgres/],
    [/PgBouncerProps\.backend$/, /^(Bitnami|External|ExistingSecret|CloudNative)Postgres/],
    [/MlflowMonitoringProps\.server$/, /fromAttributes/],
    [/(Service\w*)\.serviceType$/, /CLUSTER_IP|NODE_PORT|LOAD_BALANCER/],
    [/Resources\.request$/, /mebibytes|kibibytes|millis|units/],
    [/Resources\.limit$/, /gibibytes|millis|units/],
    [/(size|Size)$/, /gibibytes|tebibytes/],
  ],
  props: [
    [/BitnamiPasswordLiterals$/, (given) => given.add('postgresPassword').add('password')],
    [/Toleration$/, (given) => given.add('key')],
    [/Toleration$/, (given) => given.delete('tolerationSeconds')],
    [/^RdsPostgresProps$/, (given) => given.delete('tokenRenewal')],
    [/^PgBouncerProps$/, withProp('authQuery', 'maxDatabaseConnections')],
    [/^PgBouncerProps$/, (given) => given.delete('clientPassword')],
    [/^MlflowServerProps$/, withProp('auth', 'encryption')],
    [/^MlflowServerAttributes$/, (given) => given.add('metricsEndpoint')],
  ],
};

/** What somebody writes instead of a member of an enum. */
export const NO_MEMBER = ['always', 'x', '', 1];
