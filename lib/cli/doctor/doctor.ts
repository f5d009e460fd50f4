import { parseArgs } from 'node:util';

import { type Command, EXIT, type Output, UsageError } from '../command';

import {
  type Check,
  checkNamespaces,
  checkObjects,
  checkPods,
  checkReferences,
  checkStorage,
  checkVersion,
} from './checks';
import { Kubectl } from './kubectl';
import { readManifests, type Wanted } from './manifests';

const HELP = `Usage: cdk8s-mlflow doctor [options] [manifest.yaml ...]

Asks a cluster for what the manifests of an app need of it, and changes nothing: its version, namespaces,
kinds of operators, each object and each pod on trial (the API server's dry run, with quotas, LimitRanges,
Pod Security and the policies of the cluster), storage classes, and the Secrets and other objects that pods
need and the app does not make. Without a file, all YAML in dist/ is looked at; - is the standard input.

It uses kubectl, with the rights that you have: get, and create and patch on trial.

Options:
  -n, --namespace <name>  namespace of objects that name none (default: default)
  --context <name>        context of the kubeconfig (default: the current one)
  -h, --help              this text

Exit codes:
  0  nothing is in the way; there may be warnings
  1  something is in the way, a file cannot be read, or the cluster does not answer
  2  wrong options
`;

/** Asks a cluster for what an app needs of it. */
export const DOCTOR: Command = {
  name: 'doctor',
  summary: 'asks a cluster for what an app needs of it',
  run: (args, output) => {
    const { help, namespace, context, files } = optionsOf(args);
    if (help) {
      output.out(HELP);
      return EXIT.OK;
    }
    return examine(new Kubectl(context), readManifests(files, namespace), output);
  },
};

interface Options {
  readonly help: boolean;
  readonly namespace: string;
  readonly context?: string;
  readonly files: readonly string[];
}

function optionsOf(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        namespace: { type: 'string', short: 'n', default: 'default' },
        context: { type: 'string' },
      },
    });
    return { ...values, files: positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function examine(kubectl: Kubectl, objects: readonly Wanted[], output: Output): number {
  const counts = { problems: 0, warnings: 0 };
  const print = ({ title, findings }: Check): void => {
    output.out(`${title}\n`);
    for (const { about, text, isProblem } of findings) {
      output.out(`  ${isProblem ? 'problem' : 'warning'}: ${about}: ${text}\n`);
      counts[isProblem ? 'problems' : 'warnings'] += 1;
    }
  };

  const version = checkVersion(kubectl, objects);
  print(version);
  if (version.answers) {
    const namespaces = checkNamespaces(kubectl, objects);
    print(namespaces);
    const inThere = objects.filter(({ kind, namespace }) => kind === 'Namespace' || namespaces.there.has(namespace));
    for (const check of [checkObjects, checkPods]) {
      print(check(kubectl, inThere));
    }
    print(checkStorage(kubectl, objects));
    print(checkReferences(kubectl, inThere));
  }
  output.out(`problems: ${String(counts.problems)}, warnings: ${String(counts.warnings)}\n`);
  return counts.problems > 0 ? EXIT.INPUT : EXIT.OK;
}
