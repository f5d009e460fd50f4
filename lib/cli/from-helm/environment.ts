/** A variable of the server's container. */
export interface Variable {
  readonly name: string;
  /** The key of the values that it comes from. */
  readonly key: string;
  /** Its value, if that stands in the values. */
  readonly text?: string;
  readonly secret?: KeyReference;
  readonly configMap?: KeyReference;
  readonly field?: string;
}

export interface KeyReference {
  readonly name: string;
  readonly key: string;
}

/** The variables of a release. Parts of the app take those that they have a prop for. */
export class Environment {
  private readonly variables = new Map<string, Variable>();

  public add(variable: Variable): void {
    this.variables.set(variable.name, variable);
  }

  public get(name: string): Variable | undefined {
    return this.variables.get(name);
  }

  /** Removes a variable, since something else of the app says the same. */
  public take(name: string): Variable | undefined {
    const variable = this.variables.get(name);
    this.variables.delete(name);
    return variable;
  }

  /** Removes a variable whose value stands in the values. */
  public takeText(name: string): string | undefined {
    return this.variables.get(name)?.text === undefined ? undefined : this.take(name)?.text;
  }

  public rest(): Variable[] {
    return [...this.variables.values()];
  }
}
