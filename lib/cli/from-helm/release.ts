import { type Code, type Field, mlflow, type Program, type Statement, struct, variable } from '../code/code';

import { Arguments } from './arguments';
import { Environment } from './environment';
import type { Monitor } from './monitor';

/** What the user should know about some keys. */
export interface Note {
  readonly kind: NoteKind;
  readonly keys: readonly string[];
  readonly text: string;
  /** Whether a comment of the app says it already. */
  readonly isCommented?: boolean;
}

export type NoteKind =
  /** It has no counterpart: something is left to do. */
  | 'to do'
  /** It means something else in the app. */
  | 'changed'
  /** It is left out, and nothing is lost. */
  | 'left out'
  /** It has no effect in the chart either. */
  | 'no effect'
  /** The app is the same without it. */
  | 'same'
  /** The chart does not know it. */
  | 'unknown';

/** A Secret that must exist before the app is applied. */
export interface NeededSecret {
  readonly name: string;
  readonly keys: readonly NeededKey[];
}

/** A key of a Secret, and where its value is today. */
export interface NeededKey {
  readonly key: string;
  /** What the value is: text that stands in the app's comment. */
  readonly value: string;
  /** Whether the text is the value itself, such as the name of a role. */
  readonly isLiteral?: boolean;
  /** The Secret of the chart that has it. */
  readonly from?: { readonly secret: string; readonly key: string };
}

/** The PostgreSQL of a release in the cluster, as Bitnami's chart made it. */
export interface ReleaseDatabase {
  /** Name of the StatefulSet and the Service, in the chart and in the app. */
  readonly name: string;
  readonly claimName: string;
  /** All StatefulSets of the chart. */
  readonly oldNames: readonly string[];
}

/** Names of a release, as its chart makes them. */
export interface ReleaseNames {
  readonly release: string;
  readonly namespace: string;
  /** Name of the Deployment and the Service: the id of the server's construct. */
  readonly server: string;
  /** Whether the app takes over what the release has left in the cluster: its claims. */
  readonly takesOver?: boolean;
}

/** A release of a chart on its way to an app: what the rules have found so far. */
export class Release {
  public readonly notes: Note[] = [];
  public readonly secrets: NeededSecret[] = [];
  public readonly environment = new Environment();
  public readonly arguments = new Arguments();

  /** Annotations of the ServiceAccount that no identity has taken. */
  public serviceAccount: { annotations: Record<string, string>; name?: string; isCreated: boolean } = {
    annotations: {},
    isCreated: true,
  };

  /** The most pods, and the key that says so. */
  public pods = 1;
  public replicasKey = 'replicas';

  /** Whether a NetworkPolicy lets in only those that are named. */
  public isIsolated = false;

  /** The PostgreSQL in the cluster, if the release has one. */
  public database?: ReleaseDatabase;

  /** Name of the claim with the artifacts, if there is one already. */
  public artifactClaim?: string;

  /** Role and database of a chart's own PostgreSQL, where the values do not say. */
  public databaseUser?: string;
  public databaseName?: string;

  /** What Prometheus scrapes by. */
  public monitor?: Monitor;

  /** How users log in. */
  public login?: 'basic' | 'proxy' | 'oidc' | 'custom';

  private readonly serverFields = new Map<string, Field>();
  private readonly patches: { path: string; value: Code; comment?: string }[] = [];
  private readonly clusterOptions: Field[] = [];
  private readonly before: Statement[] = [];
  private readonly after: Statement[] = [];
  private backendCode?: { variable: string; statement: Statement };

  public constructor(public readonly names: ReleaseNames) {}

  /** Sets a prop of the server. */
  public set(name: string, value: Code | undefined, comment?: string): void {
    if (value !== undefined) {
      this.serverFields.set(name, { name, value, comment });
    }
  }

  public unset(name: string): void {
    this.serverFields.delete(name);
  }

  public propOf(name: string): Code | undefined {
    return this.serverFields.get(name)?.value;
  }

  /** Sets the backend. */
  public setBackend(code: Code, comment?: string): void {
    this.backendCode = { variable: 'postgres', statement: { variable: 'postgres', code, comment } };
  }

  /** The props of the backend, to add to. */
  public addToBackend(name: string, value: Code): void {
    const code = this.backendCode?.statement.code;
    const props = code?.kind === 'new' ? code.args.at(-1) : undefined;
    if (this.backendCode !== undefined && code?.kind === 'new' && props?.kind === 'struct') {
      const args = [...code.args.slice(0, -1), { ...props, fields: [...props.fields, { name, value }] }];
      this.backendCode = { ...this.backendCode, statement: { ...this.backendCode.statement, code: { ...code, args } } };
    }
  }

  /** Name of the backend's class. */
  public get backendClass(): string | undefined {
    const code = this.backendCode?.statement.code;
    return code?.kind === 'new' ? code.name.name : undefined;
  }

  public get hasBackend(): boolean {
    return this.backendCode !== undefined;
  }

  /** Sets an option of `ClusterSettings` for the server's pods. */
  public setForPods(name: string, value: Code): void {
    const old = this.clusterOptions.findIndex((each) => each.name === name);
    const before = this.clusterOptions[old]?.value;
    if (before?.kind === 'map' && value.kind === 'map') {
      const merged = new Map([...before.entries, ...value.entries]);
      this.clusterOptions[old] = { name, value: { kind: 'map', entries: [...merged] } };
    } else {
      this.clusterOptions.push({ name, value });
    }
  }

  /** Adds a JSON patch of the Deployment. */
  public patch(path: string, value: Code, comment?: string): void {
    this.patches.push({ path, value, comment });
  }

  /** Adds an annotation of the Deployment. */
  public addAnnotation(name: string, text: string): void {
    const metadata: Code = {
      kind: 'member',
      of: { kind: 'member', of: variable('server'), member: 'deployment' },
      member: 'metadata',
    };
    const args: Code[] = [
      { kind: 'value', value: name },
      { kind: 'value', value: text },
    ];
    this.addAfter({ code: { kind: 'call', of: metadata, method: 'addAnnotation', args } });
  }

  /** Adds a statement before the server, and returns its variable: with a number, if another statement has the name. */
  public addBefore(name: string, code: Code): Code {
    const same = this.before.find((each) => JSON.stringify(each.code) === JSON.stringify(code));
    if (same?.variable !== undefined) {
      return variable(same.variable);
    }
    // Names that differ in capitals only are one in Python.
    const taken = this.before.map((each) => each.variable?.toLowerCase());
    let unique = name;
    for (let i = 2; taken.includes(unique.toLowerCase()); i++) {
      unique = `${name}${String(i)}`;
    }
    this.before.push({ variable: unique, code });
    return variable(unique);
  }

  public addAfter(statement: Statement): void {
    this.after.push(statement);
  }

  public note(kind: NoteKind, keys: string | readonly string[], text: string, isCommented = false): void {
    this.notes.push({ kind, keys: typeof keys === 'string' ? [keys] : keys, text, isCommented });
  }

  /** Says that a Secret is needed, and returns its name. */
  public need(secret: NeededSecret): string {
    const old = this.secrets.findIndex(({ name }) => name === secret.name);
    const keys = [...(this.secrets[old]?.keys ?? []), ...secret.keys];
    const unique = keys.filter(({ key }, i) => keys.findIndex((each) => each.key === key) === i);
    this.secrets.splice(old === -1 ? this.secrets.length : old, old === -1 ? 0 : 1, {
      name: secret.name,
      keys: unique,
    });
    return secret.name;
  }

  /** The app. */
  public program(description: readonly string[]): Program {
    const hasServerVariable = this.patches.length > 0 || this.clusterOptions.length > 0 || this.after.length > 0;
    return {
      description,
      className: 'Mlflow',
      id: 'mlflow',
      namespace: this.names.namespace,
      statements: [
        ...this.before,
        ...(this.backendCode === undefined ? [] : [this.backendCode.statement]),
        this.server(hasServerVariable),
        ...this.settings(),
        ...this.after,
      ],
    };
  }

  private server(hasVariable: boolean): Statement {
    const todo = this.notes.filter(({ kind, isCommented }) => kind === 'to do' && isCommented !== true);
    const comment = todo.map(({ keys, text }) => `${keys.join(', ')}: ${text}`).join('\n');
    return {
      comment: comment === '' ? undefined : comment,
      variable: hasVariable ? 'server' : undefined,
      code: {
        kind: 'new',
        name: mlflow('MlflowServer'),
        args: [
          { kind: 'scope' },
          { kind: 'value', value: this.names.server },
          { kind: 'struct', name: mlflow('MlflowServerProps'), fields: this.orderedFields() },
        ],
      },
    };
  }

  private orderedFields(): Field[] {
    const backend = this.backendCode;
    return [
      ...(backend === undefined ? [] : [{ name: 'backend', value: variable(backend.variable) }]),
      ...this.serverFields.values(),
    ];
  }

  private settings(): Statement[] {
    const server = variable('server');
    const patched: Code = {
      kind: 'call',
      of: {
        kind: 'call',
        of: { module: 'cdk8s', name: 'ApiObject' },
        method: 'of',
        args: [{ kind: 'member', of: server, member: 'deployment' }],
      },
      method: 'addJsonPatch',
      args: this.patches.map(({ path, value }) => ({
        kind: 'call',
        of: { module: 'cdk8s', name: 'JsonPatch' },
        method: 'add',
        args: [{ kind: 'value', value: path }, value],
      })),
    };
    const comment = this.patches.flatMap((each) => each.comment ?? []).join('\n');
    const options = { ...struct(mlflow('ClusterOptions'), {}), fields: this.clusterOptions } as Code;
    const applied: Code = {
      kind: 'call',
      of: { kind: 'call', of: mlflow('ClusterSettings'), method: 'of', args: [server] },
      method: 'apply',
      args: [options],
    };
    return [
      ...(this.clusterOptions.length === 0 ? [] : [{ code: applied }]),
      ...(this.patches.length === 0 ? [] : [{ code: patched, comment: comment === '' ? undefined : comment }]),
    ];
  }
}
