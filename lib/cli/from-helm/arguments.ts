/** Options of `mlflow server`, by their names with dashes. */
export class Arguments {
  private readonly options = new Map<string, { readonly key: string; readonly value?: string }>();

  /** Adds an option: `name` without dashes before it, in any of the spellings of charts. */
  public add(name: string, key: string, text?: string): void {
    this.options.set(`--${kebabCase(name)}`, { key, value: text });
  }

  public has(name: string): boolean {
    return this.options.has(name);
  }

  public valueOf(name: string): string | undefined {
    return this.options.get(name)?.value;
  }

  public keyOf(name: string): string {
    return this.options.get(name)?.key ?? name;
  }

  /** Removes an option and returns its value, which is empty for a flag. */
  public take(name: string): string | undefined {
    const option = this.options.get(name);
    this.options.delete(name);
    return option && (option.value ?? '');
  }

  public rest(): [string, { readonly key: string; readonly value?: string }][] {
    return [...this.options];
  }
}

function kebabCase(name: string): string {
  return name
    .replace(/^-+/, '')
    .replaceAll('_', '-')
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase();
}
