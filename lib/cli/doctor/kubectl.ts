import { spawnSync } from 'node:child_process';

/** What a call of kubectl has answered. */
export interface Answer {
  readonly ok: boolean;
  readonly stdout: string;
  /** Lines that name an error. */
  readonly errors: readonly string[];
  /** Warnings of the API server. */
  readonly warnings: readonly string[];
}

/** A cluster, by way of kubectl: with the login, the proxy and the plugins that the user has set up for it. */
export class Kubectl {
  public constructor(private readonly context?: string) {}

  /** Runs kubectl. `input` is an object for its standard input. */
  public run(args: readonly string[], input?: object): Answer {
    const context = this.context === undefined ? [] : ['--context', this.context];
    const { error, status, stdout, stderr } = spawnSync('kubectl', [...context, '--request-timeout=30s', ...args], {
      encoding: 'utf8',
      env: process.env,
      input: input && JSON.stringify(input),
      maxBuffer: 64 * 1024 * 1024,
    });
    if (error !== undefined) {
      return { ok: false, stdout: '', errors: [`kubectl cannot be run: ${error.message}`], warnings: [] };
    }
    const lines = stderr.split('\n').filter((line) => line.trim() !== '');
    const isWarning = (line: string): boolean => line.startsWith('Warning: ');
    return {
      ok: status === 0,
      stdout,
      errors: lines.filter((line) => !isWarning(line)),
      warnings: lines.filter(isWarning).map((line) => line.slice('Warning: '.length)),
    };
  }

  /** Whether an object is there and may be read. Only its name is: the values of a Secret stay where they are. */
  public has(kind: string, name: string, namespace?: string): boolean {
    const inNamespace = namespace === undefined ? [] : ['--namespace', namespace];
    return this.run(['get', kind, name, ...inNamespace, '--output', 'name']).ok;
  }
}
