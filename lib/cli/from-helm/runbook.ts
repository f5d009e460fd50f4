import type { Chart } from './chart';
import { countCommand } from './count-command';
import type { NeededKey, NeededSecret, Release } from './release';
import { block, type Facts } from './runbook-facts';
import { saveRelease, wayBack } from './runbook-way-back';
import { shellWord } from './shell';

/** The steps by which the app takes over what a Helm release runs, as Markdown. */
export function runbook(chart: Chart, release: Release): string {
  const { release: name, namespace, server } = release.names;
  const { database, artifactClaim } = release;
  const facts: Facts = {
    chart,
    release,
    database: database?.name,
    oldDatabases: database?.oldNames ?? [],
    claims: [artifactClaim, database?.claimName].filter((each) => each !== undefined),
  };
  return [
    `# From the Helm release ${name} to the app`,
    paragraph(
      `The app takes over the database, the artifacts, the Service ${server} at its port${release.propOf('ingress') === undefined ? '' : ', its host'} and the claims of the release`,
      `\`${name}\` (${chart.title}) in the namespace \`${namespace}\`. From step 6 to step 8, MLflow serves no requests. Up to step 7, nothing has changed that`,
      'cannot be taken back at once; after it, "The way back" says how.',
    ),
    block([`NAMESPACE=${namespace}`, `RELEASE=${name}`, `SERVER=${server}`]),
    ...numbered([
      ['See that the app fits the release', lookAhead(facts)],
      ['Stop what applies the chart again', stopGitOps()],
      ['Keep the volumes', keepVolumes(facts)],
      ['Make the Secrets of the app', makeSecrets(facts)],
      ['Make a dump and save the release', saveRelease(facts)],
      ['Stop the old server', stopServer(facts)],
      ['Take the objects from Helm', takeObjects(facts)],
      ['Apply the app', applyApp(facts)],
      ['See that nothing was lost', verify(facts)],
      ['Remove what is left', cleanUp(facts)],
    ]),
    '## The way back',
    ...wayBack(facts),
    '',
  ].join('\n\n');
}

function lookAhead({ release, database }: Facts): string[] {
  return [
    'The app must have been made from the values of the release. A file in a repository may be older than they are, so take these:',
    block(['helm get values "$RELEASE" --namespace "$NAMESPACE" --output yaml > values.yaml']),
    `Count what the server has, to compare it later${release.login === undefined ? '' : ', with the name and the password of an administrator in ADMIN and ADMIN_PASSWORD'}:`,
    block(countCommand('before.txt', release)),
    ...(database === undefined
      ? []
      : [
          `The major version of PostgreSQL must be that of the app's image, ${release.propOf('image') === undefined ? '17 by default' : '17 unless you set `image`'}. Otherwise set \`image\` of BitnamiPostgres in the app:`,
          block([`kubectl exec --namespace "$NAMESPACE" ${database}-0 -- cat /bitnami/postgresql/data/PG_VERSION`]),
        ]),
    'Synthesize the app, and see what would change. A field that is immutable, as of the Deployment, is an error here, which step 7 mends:',
    block(['npx cdk8s synth', 'kubectl diff --filename dist/mlflow.k8s.yaml || true']),
  ];
}

function stopGitOps(): string[] {
  return [
    'A controller that applies the chart would undo each step, and prune what it no longer finds in its repository. With Argo CD, turn its automation off, and later delete the Application without its objects:',
    block(['argocd app set "$RELEASE" --sync-policy none', 'argocd app delete "$RELEASE" --cascade=false --yes']),
    'With Flux, suspend the HelmRelease before you delete it: the controller then leaves the release as it is.',
    block([
      'flux suspend helmrelease "$RELEASE" --namespace "$NAMESPACE"',
      'kubectl delete helmrelease "$RELEASE" --namespace "$NAMESPACE"',
    ]),
    'With neither, there is nothing to do. Let nobody run `helm upgrade` or `helm uninstall` from here on.',
  ];
}

function keepVolumes({ claims }: Facts): string[] {
  if (claims.length === 0) {
    return ['The release has no volume that the app uses.'];
  }
  return [
    'Whatever happens to a claim, its volume then keeps the data. `helm uninstall` is not part of these steps: it goes by the annotation `helm.sh/resource-policy` of the release, not of the cluster, and would delete the claim.',
    block([
      `for CLAIM in ${claims.map(shellWord).join(' ')}; do`,
      '  VOLUME=$(kubectl get persistentvolumeclaim "$CLAIM" --namespace "$NAMESPACE" --output jsonpath=\'{.spec.volumeName}\')',
      '  kubectl patch persistentvolume "$VOLUME" --patch \'{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}\'',
      'done',
    ]),
  ];
}

function makeSecrets({ release }: Facts): string[] {
  if (release.secrets.length === 0) {
    return ['The app uses Secrets that are there, and that Helm does not manage.'];
  }
  return [
    'The app has its own, since those of the chart belong to the release. Values that the chart has in a Secret are copied, without being shown; put the others in:',
    block(release.secrets.flatMap((secret) => ['', ...secretCommand(secret, release)]).slice(1)),
  ];
}

function secretCommand({ name, keys }: NeededSecret, release: Release): string[] {
  const literals = keys.map(({ key, value, from, isLiteral }) => {
    const literal = `--from-literal=${shellWord(key)}`;
    if (from === undefined || from.key === '') {
      return `${literal}=${isLiteral === true ? shellWord(value) : given(name, key, value, release)}`;
    }
    const path = shellWord(`{.data.${from.key.replaceAll('.', '\\.')}}`);
    return `${literal}="$(kubectl get secret ${shellWord(from.secret)} --namespace "$NAMESPACE" --output jsonpath=${path} | base64 --decode)"`;
  });
  return [
    `kubectl create secret generic ${shellWord(name)} --namespace "$NAMESPACE" \\`,
    ...literals.map((each, i) => `  ${each}${i < literals.length - 1 ? ' \\' : ''}`),
  ];
}

function stopServer({ release }: Facts): string[] {
  return [
    ...(release.propOf('autoscaling') === undefined
      ? []
      : [
          'The autoscaler would start pods again:',
          block(['kubectl delete horizontalpodautoscaler "$SERVER" --namespace "$NAMESPACE"']),
        ]),
    'From here on, clients get no answers. They repeat most requests for some minutes.',
    block([
      'kubectl scale deployment "$SERVER" --namespace "$NAMESPACE" --replicas=0',
      'kubectl rollout status deployment "$SERVER" --namespace "$NAMESPACE"',
      `kubectl wait pod --for=delete --namespace "$NAMESPACE" --selector ${selectorOf(release)} --timeout=5m`,
    ]),
  ];
}

function takeObjects({ database, oldDatabases, release }: Facts): string[] {
  return [
    'Helm forgets the release. All of its objects stay:',
    block(['kubectl delete secret --namespace "$NAMESPACE" --selector owner=helm,name="$RELEASE"']),
    'The selector of a Deployment cannot be changed, so the app makes its own of the same name:',
    block(['kubectl delete deployment "$SERVER" --namespace "$NAMESPACE"']),
    'Those of a policy can, but an apply would merge them with those of the chart:',
    block([
      'kubectl delete networkpolicy,poddisruptionbudget,horizontalpodautoscaler --ignore-not-found --namespace "$NAMESPACE" "$SERVER"',
      ...(release.propOf('metrics') === undefined
        ? []
        : ['kubectl delete servicemonitor --ignore-not-found --namespace "$NAMESPACE" "$SERVER"']),
    ]),
    ...(database === undefined
      ? []
      : [
          `The selector of a StatefulSet cannot be changed either. Its claims stay: those of the app have the same names. If the first command prints \`Delete\`, change it before (\`kubectl patch statefulset ${database} --patch '{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain"}}}'\`).`,
          block([
            `kubectl get statefulset ${database} --namespace "$NAMESPACE" --output jsonpath='{.spec.persistentVolumeClaimRetentionPolicy.whenDeleted}'`,
            `kubectl delete statefulset --namespace "$NAMESPACE" ${oldDatabases.join(' ')}`,
            `kubectl delete networkpolicy,poddisruptionbudget --ignore-not-found --namespace "$NAMESPACE" ${oldDatabases.join(' ')}`,
          ]),
        ]),
    'An apply merges selectors: a label of the chart would remain, and the Service would find no pod. Its address stays:',
    block(
      ['"$SERVER"', ...(database === undefined ? [] : [database])].flatMap((service) => [
        `kubectl patch service ${service} --namespace "$NAMESPACE" --type=json --patch '[{"op":"remove","path":"/spec/selector"}]'`,
      ]),
    ),
    'And they no longer say that they are of a release:',
    block([
      `kubectl annotate service,serviceaccount,ingress --namespace "$NAMESPACE" --selector app.kubernetes.io/instance="$RELEASE" meta.helm.sh/release-name- meta.helm.sh/release-namespace-`,
      `kubectl label service,serviceaccount,ingress --namespace "$NAMESPACE" --selector app.kubernetes.io/instance="$RELEASE" helm.sh/chart-`,
    ]),
    ...(database === undefined
      ? []
      : [
          'The headless Service of the StatefulSet is made again:',
          block([`kubectl delete service ${database}-hl --namespace "$NAMESPACE" --ignore-not-found`]),
        ]),
  ];
}

function applyApp({ database }: Facts): string[] {
  return [
    'The pods check the database and migrate its schema before they serve. `kubectl logs deployment/"$SERVER" --container init-mlflow` shows how far they are.',
    block([
      'kubectl apply --filename dist/mlflow.k8s.yaml',
      ...(database === undefined
        ? []
        : [`kubectl rollout status statefulset ${database} --namespace "$NAMESPACE" --timeout=10m`]),
      'kubectl rollout status deployment "$SERVER" --namespace "$NAMESPACE" --timeout=15m',
    ]),
  ];
}

function verify({ release }: Facts): string[] {
  return [
    'Clients went on until step 6, so the numbers are at least those of step 1. No line means that they are:',
    block([
      ...countCommand('after.txt', release),
      `paste -d ' ' before.txt after.txt | awk '$NF < $(NF / 2) { print "fewer than before:", $0; lost = 1 } END { exit lost }'`,
    ]),
    'The Service has an address of a pod, under its old name and port. Open a run with artifacts in the UI, too.',
    block(['kubectl get endpointslices --namespace "$NAMESPACE" --selector kubernetes.io/service-name="$SERVER"']),
  ];
}

function cleanUp({ release }: Facts): string[] {
  const isKept = /minio/i.test(JSON.stringify(release.propOf('artifactRoot') ?? ''));
  const selector = `app.kubernetes.io/managed-by=Helm,app.kubernetes.io/instance="$RELEASE"${isKept ? ",'app.kubernetes.io/name notin (minio)'" : ''}`;
  return [
    'Wait until nobody wants to go back. What the app has taken over says `app.kubernetes.io/managed-by: cdk8s`, so that this selects the rest: look at it first.',
    block([
      `kubectl get configmap,secret,service,serviceaccount,networkpolicy,poddisruptionbudget,role,rolebinding,servicemonitor --ignore-not-found --namespace "$NAMESPACE" --selector ${selector}`,
    ]),
    'Then `kubectl delete` the same, by name. Claims are not among them.' +
      (isKept ? ' The MinIO of the release stays: the app uses it.' : ''),
  ];
}

function selectorOf({ names }: Release): string {
  return names.server.endsWith('-tracking')
    ? 'app.kubernetes.io/instance="$RELEASE",app.kubernetes.io/component=tracking'
    : 'app.kubernetes.io/instance="$RELEASE",app.kubernetes.io/name=mlflow';
}

/** Whether the operator has to know a value: it is neither in the app nor in a Secret of the chart. */
function isGiven({ from, isLiteral }: NeededKey): boolean {
  return isLiteral !== true && (from === undefined || from.key === '');
}

/** A variable of the operator's shell, with what it has to be: `admin-password` is ADMIN_PASSWORD. */
function given(secret: string, key: string, value: string, { names, secrets }: Release): string {
  const sameKey = secrets
    .flatMap(({ keys }) => keys)
    .filter((each) => isGiven(each) && variableOf(each.key) === variableOf(key));
  // The passwords of two Secrets are not one.
  const prefix = sameKey.length > 1 ? `${secret.replace(`${names.server}-`, '')}-` : '';
  return `"\${${variableOf(prefix + key)}:?${value.replace(/[^\w ,.-]/g, '')}}"`;
}

function variableOf(key: string): string {
  return key.replace(/\W/g, '_').replace(/^\d/, '_$&').toUpperCase();
}

function numbered(steps: readonly (readonly [string, readonly string[]])[]): string[] {
  return steps.flatMap(([title, parts], i) => [`## ${String(i + 1)}. ${title}`, ...parts]);
}

function paragraph(...sentences: string[]): string {
  return sentences.join(' ');
}
