import type { Problems } from '../validation/problems';

/** The schemes that MLflow supports (`mlflow.store.artifact.artifact_repository_registry`). */
const SCHEMES = [
  'abfss',
  'b2',
  'dbfs',
  'file',
  'ftp',
  'gs',
  'hdfs',
  'http',
  'https',
  'mlflow-artifacts',
  'r2',
  's3',
  'sftp',
  'viewfs',
  'wasbs',
];

/** Rewrites the locations of artifacts that were moved. */
export interface ArtifactLocationRule {
  /**
   * The old prefix, as stored in the database: `/home/me/mlruns`, `file:///mlruns`, `s3://old-bucket/mlflow`. It matches whole
   * path segments: `/mlruns` does not match `/mlruns-2/1`.
   */
  readonly oldPrefix: string;

  /** The new prefix: a URI such as `mlflow-artifacts:/` (through the server) or `s3://bucket/mlflow`, or an absolute path. */
  readonly newPrefix: string;
}

/** Validates the rules. */
export function checkLocationRules(problems: Problems, rules: ArtifactLocationRule[]): void {
  rules.forEach(({ oldPrefix: from, newPrefix: to }, i) => {
    const prop = `artifactLocations[${String(i)}]`;
    if (!/^(?!\w[-\w+.]*:\/*$)\S(.*\S)?$/.test(from)) {
      problems.add(
        `${prop}.oldPrefix`,
        'must be a prefix of locations, longer than a scheme',
        from,
        'List them in the old database: SELECT DISTINCT artifact_location FROM experiments.',
      );
    }
    checkTarget(problems, `${prop}.newPrefix`, to);
    const same = rules.findIndex((rule) => stem(rule.oldPrefix) === stem(from));
    if (same < i) {
      problems.add(
        `${prop}.oldPrefix`,
        'must differ from those of the rules before it',
        from,
        'The first rule that matches applies.',
      );
    }
  });
}

function checkTarget(problems: Problems, prop: string, to: string): void {
  const [, scheme, rest = ''] = /^([a-z][-a-z0-9+.]*):(.*)$/.exec(to) ?? [];
  if (scheme === undefined ? !/^\/\S*$/.test(to) : !/^(\/|\/\/[^/\s]+(\/\S*)?|\/[^/\s]\S*|\/\/\/\S+)$/.test(rest)) {
    problems.add(prop, 'must be a URI with a path or a bucket, or an absolute path', to);
  } else if (scheme !== undefined && !SCHEMES.includes(scheme)) {
    problems.add(prop, 'must have a scheme that MLflow knows', to, `It knows ${SCHEMES.join(', ')}.`);
  }
}

function stem(prefix: string): string {
  return prefix.replace(/\/+$/, '');
}
