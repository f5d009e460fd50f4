/** What a deployment and all around it is called. */
export interface DeploymentNames {
  readonly namespace: string;
  readonly server: string;
  readonly exporter?: string;
  readonly database?: string;
  readonly volumeClaims: string[];
  readonly cronJobs: string[];
}

/** The series of one deployment, by the labels that tell it from others. Without braces, so that more can be added. */
export interface MetricSelectors {
  readonly namespace: string;
  /** Of the server's own metrics, and of `up`. */
  readonly server: string;
  /** Of what kube-state-metrics and cAdvisor know of the server's pods. */
  readonly pods: string;
  /** Of the exporter of PostgreSQL. */
  readonly exporter: string;
  /** Of what the exporter knows of the server's database; of all databases, where its name is not known. */
  readonly database: string;
  /** Of the volumes, where there are any. */
  readonly volumes?: string;
  /** Of the CronJobs that back up, where there are any. */
  readonly backups?: string;
}

/** The selectors by the names. */
export function selectorsOf(names: DeploymentNames): MetricSelectors {
  const namespace = `namespace=${quoted(names.namespace)}`;
  const exporter = `${namespace},job=${quoted(names.exporter ?? '')}`;
  return {
    namespace,
    server: `${namespace},job=${quoted(names.server)}`,
    // A pod's name ends in the digest of its template and five characters more: `mlflow-ui-…` is another Deployment's.
    pods: `${namespace},pod=~${quoted(`${names.server}-[a-z0-9]+-[a-z0-9]{5}`)}`,
    exporter,
    database: names.database === undefined ? exporter : `${exporter},datname=${quoted(names.database)}`,
    volumes: oneOf(namespace, 'persistentvolumeclaim', names.volumeClaims),
    backups: oneOf(namespace, 'cronjob', names.cronJobs),
  };
}

function oneOf(namespace: string, label: string, names: string[]): string | undefined {
  const pattern = names.map((name) => name.replaceAll('.', '\\.')).join('|');
  return names.length === 0 ? undefined : `${namespace},${label}=~${quoted(pattern)}`;
}

// PromQL escapes in double quotes as JSON does.
function quoted(text: string): string {
  return JSON.stringify(text);
}
