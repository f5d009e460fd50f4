import { parseArgs } from 'node:util';

import { python } from '../code/python';
import { typescript } from '../code/typescript';
import { type Command, EXIT, type Output, UsageError } from '../command';
import { chosen, readInput } from '../input';

import type { Chart } from './chart';
import { BITNAMI } from './charts/bitnami/bitnami';
import { COMMUNITY } from './charts/community/community';
import { OFFICIAL } from './charts/official/official';
import { convert, tried } from './convert';
import { report } from './report';
import { runbook } from './runbook';
import { parseValues, type ValuesFile } from './values-file';

/** The charts, by their names on the command line. */
export const CHARTS: Readonly<Record<string, Chart>> = { community: COMMUNITY, official: OFFICIAL, bitnami: BITNAMI };

const PRINTERS = { typescript, python };

const HELP = `Usage: cdk8s-mlflow from-helm --chart <chart> [options] [values.yaml ...]

Prints an app of cdk8s that does what a Helm release of MLflow does with these values. Several files are
merged as Helm merges them. Without a file, the defaults of the chart are converted; - is the standard input.
A file may also be an Application of Argo CD or a HelmRelease of Flux.

What changed in its meaning, what was left out and what is left to do stands in the standard error output.
Passwords are not printed: the app names Secrets, and its comment says how to make them.

Options:
  --chart <chart>         ${Object.keys(CHARTS).join(', ')} (required)
  -f, --values <file>     a file with values, as for Helm; may be repeated
  --at <path>             where the values are in the files, such as mlflow of an umbrella chart, or
                          spec.values.mlflow in a HelmRelease of one
  --language <language>   ${Object.keys(PRINTERS).join(' or ')} (default: typescript)
  --release <name>        name of the Helm release (default: mlflow)
  --namespace <name>      namespace of the release (default: mlflow)
  --take-over <release>/<namespace>
                          the app uses the claims that this release has in the cluster
  --runbook               with --take-over: prints the steps by which the app takes over, in Markdown, instead
                          of the app
  -h, --help              this text

Exit codes:
  0  done
  1  a file cannot be read, or a value is of a wrong type
  2  wrong options
  3  done, but some keys are not known: they are not in the app
`;

/** Converts values of a Helm chart into an app. */
export const FROM_HELM: Command = {
  name: 'from-helm',
  summary: 'prints an app that does what a Helm release of MLflow does',
  run: (args, output) => {
    const options = optionsOf(args);
    if (options.help === true) {
      output.out(HELP);
      return EXIT.OK;
    }
    return print(options, output);
  },
};

interface Options {
  readonly help?: boolean;
  readonly chart?: string;
  readonly files: readonly string[];
  readonly at?: string;
  readonly language?: string;
  readonly release?: string;
  readonly namespace?: string;
  readonly takeOver?: string;
  readonly runbook?: boolean;
}

function optionsOf(args: readonly string[]): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        chart: { type: 'string' },
        values: { type: 'string', short: 'f', multiple: true },
        at: { type: 'string' },
        language: { type: 'string' },
        release: { type: 'string' },
        namespace: { type: 'string' },
        'take-over': { type: 'string' },
        runbook: { type: 'boolean' },
      },
    });
    return { ...values, takeOver: values['take-over'], files: [...(values.values ?? []), ...positionals] };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function print(options: Options, output: Output): number {
  const chart = chosen('--chart', options.chart, CHARTS);
  const printer = chosen('--language', options.language ?? 'typescript', PRINTERS);
  const { release, namespace } = releaseOf(options);
  const at = options.at === undefined ? [] : options.at.split('.');
  const files = options.files.map((file) => read(file, at));
  const conversion = tried(convert(chart, files, release, namespace, options.takeOver !== undefined));
  output.out(options.runbook === true ? runbook(chart, conversion.release) : printer(conversion.program));
  output.err(report(conversion));
  return conversion.unknown.length > 0 ? EXIT.UNKNOWN_KEYS : EXIT.OK;
}

function releaseOf(options: Options): { readonly release: string; readonly namespace: string } {
  const { takeOver, runbook: isRunbook } = options;
  if (isRunbook === true && takeOver === undefined) {
    throw new UsageError('--runbook needs --take-over <release>/<namespace>.');
  }
  if (takeOver !== undefined && (options.release !== undefined || options.namespace !== undefined)) {
    throw new UsageError('--take-over names the release and the namespace: leave out --release and --namespace.');
  }
  const [release = '', namespace = '', ...rest] = takeOver?.split('/') ?? [
    options.release ?? 'mlflow',
    options.namespace ?? 'mlflow',
  ];
  if (rest.length > 0) {
    throw new UsageError(`--take-over must be <release>/<namespace>, got "${String(takeOver)}".`);
  }
  const names = takeOver === undefined ? ['--release', '--namespace'] : ['--take-over', '--take-over'];
  [release, namespace].forEach((name, i) => {
    if (!/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/.test(name)) {
      throw new UsageError(
        `${String(names[i])} must have names of Kubernetes (lower case letters, digits, dashes), got "${takeOver ?? name}".`,
      );
    }
  });
  return { release, namespace };
}

function read(file: string, at: readonly string[]): ValuesFile {
  return parseValues(file, readInput(file), at);
}
