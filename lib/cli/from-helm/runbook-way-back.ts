import { block, type Facts } from './runbook-facts';

/** What the way back needs: a dump, and what Helm keeps of the release. */
export function saveRelease({ database }: Facts): string[] {
  const dump =
    database === undefined
      ? [
          'MLflow cannot go back to an older schema: without a dump, there is no way back once a newer version has migrated. With a managed database, a snapshot does as well.',
          block(['pg_dump --format=custom --file=before.dump --host=HOST --username=ROLE DATABASE']),
        ]
      : [
          'MLflow cannot go back to an older schema: without a dump, there is no way back once a newer version has migrated.',
          block([`${inPod(database, 'pg_dump --format=custom --dbname=DATABASE')} > before.dump`]),
        ];
  return [
    ...dump,
    'Helm keeps a release in Secrets. They and the manifests are what the way back needs:',
    block([
      'kubectl get secret --namespace "$NAMESPACE" --selector owner=helm,name="$RELEASE" --output yaml \\',
      "  | sed '/^    \\(creationTimestamp\\|resourceVersion\\|uid\\):/d' > release.yaml",
      'helm get manifest "$RELEASE" --namespace "$NAMESPACE" > manifest.yaml',
    ]),
  ];
}

/** The steps back to the release. */
export function wayBack({ release, database }: Facts): string[] {
  return [
    'Up to step 6, `kubectl scale deployment "$SERVER" --replicas=1` is all. After it, the server of the app goes first, with its pods:',
    block(['kubectl delete deployment "$SERVER" --namespace "$NAMESPACE" --cascade=foreground --ignore-not-found']),
    'If the version of MLflow has changed, so has the schema, which the older version refuses. The dump replaces it, without the runs that were logged since:',
    block(restoration(database)),
    'Helm gets its release back, and makes the rest again:',
    block([
      ...(database === undefined ? [] : [`kubectl delete statefulset ${database} --namespace "$NAMESPACE"`]),
      'kubectl apply --filename release.yaml',
      `for OBJECT in service/"$SERVER" serviceaccount/"$SERVER"${release.propOf('ingress') === undefined ? '' : ' ingress/"$SERVER"'}${database === undefined ? '' : ` service/${database} serviceaccount/${database}`}; do`,
      '  kubectl label "$OBJECT" --namespace "$NAMESPACE" --overwrite app.kubernetes.io/managed-by=Helm',
      '  kubectl annotate "$OBJECT" --namespace "$NAMESPACE" --overwrite meta.helm.sh/release-name="$RELEASE" meta.helm.sh/release-namespace="$NAMESPACE"',
      `  case "$OBJECT" in service/*) kubectl patch "$OBJECT" --namespace "$NAMESPACE" --type=json --patch '[{"op":"remove","path":"/spec/selector"}]' ;; esac`,
      'done',
      `REVISION=$(kubectl get secret --namespace "$NAMESPACE" --selector owner=helm,name="$RELEASE",status=deployed --output jsonpath='{.items[0].metadata.labels.version}')`,
      'helm rollback "$RELEASE" "$REVISION" --namespace "$NAMESPACE"',
      'kubectl rollout status deployment "$SERVER" --namespace "$NAMESPACE" --timeout=15m',
    ]),
  ];
}

/** All tables and functions of the newer version go, since some are not in the dump. */
const DROP_ALL = [
  "SELECT format('DROP TABLE %s CASCADE', oid::regclass) FROM pg_class",
  "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace \\gexec",
  "SELECT format('DROP FUNCTION %s', oid::regprocedure) FROM pg_proc",
  "WHERE pronamespace = 'public'::regnamespace AND proowner = current_user::regrole \\gexec",
];

function restoration(database: string | undefined): string[] {
  const program = (command: string): string =>
    database === undefined ? `${command} --host=HOST --username=ROLE` : inPod(database, command);
  return [
    `${program('psql --set=ON_ERROR_STOP=1 --dbname=DATABASE')} <<'SQL'`,
    ...DROP_ALL,
    'SQL',
    `${program('pg_restore --exit-on-error --single-transaction --dbname=DATABASE')} < before.dump`,
  ];
}

/** A program of PostgreSQL in the pod of Bitnami's PostgreSQL, which has the login. */
function inPod(database: string, command: string): string {
  return [
    `kubectl exec --stdin --namespace "$NAMESPACE" ${database}-0 -- bash -c \\`,
    `  'PGHOST=127.0.0.1 PGUSER="\${POSTGRES_USER:-postgres}" PGPASSWORD="\${POSTGRES_PASSWORD:-$(cat "$POSTGRES_PASSWORD_FILE")}" ${command.replace('=DATABASE', '="$POSTGRES_DATABASE"')}'`,
  ].join('\n');
}
