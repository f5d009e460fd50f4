import { type Data, isData, kindOf, plain } from './data';

/** The values of a release. Remembers which keys were read, so that none is lost. */
export class Values {
  /** What is wrong with the values, a sentence each. */
  public readonly problems: string[] = [];

  /** Keys with a placeholder instead of a number, a name, a flag or a list. */
  public readonly placeholders = new Set<string>();

  private readonly paths = new Set<string>();

  /**
   * @param data the values of the user's files, without the chart's defaults
   * @param place where a key stands, such as `values.yaml:3`
   */
  public constructor(
    public readonly data: Data,
    private readonly place: (key: string) => string,
  ) {}

  /** Whether a key, one above it or one below it was read. */
  public wasRead(key: string): boolean {
    return [...this.paths].some((path) => path === key || key.startsWith(`${path}.`) || path.startsWith(`${key}.`));
  }

  /** Whether the user sets something. Empty maps, lists and texts, and null, set nothing. */
  public has(key: string): boolean {
    return !isEmpty(this.raw(key));
  }

  /** A value of any type. */
  public any(key: string): unknown {
    this.paths.add(key);
    const value = this.raw(key);
    return isEmpty(value) ? undefined : value;
  }

  /** A text. Numbers and booleans are texts, too, as in a template. */
  public text(key: string): string | undefined {
    return this.as(key, 'a text', (value) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined,
    );
  }

  /** A name of Kubernetes, such as that of a Service. */
  public name(key: string): string | undefined {
    return this.as(key, 'a name of Kubernetes (lower case letters, digits, dashes)', (value) =>
      /^[a-z\d]([-a-z\d]*[a-z\d])?$/.test(plain(value)) ? plain(value) : undefined,
    );
  }

  public flag(key: string, fallback = false): boolean {
    return this.as(key, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined)) ?? fallback;
  }

  /** A whole number; Helm takes one in quotation marks, too. */
  public whole(key: string): number | undefined {
    return this.as(key, 'a whole number', (value) => {
      const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
      return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
    });
  }

  public list(key: string): readonly unknown[] {
    return this.as(key, 'a list', (value) => (Array.isArray(value) ? (value as unknown[]) : undefined)) ?? [];
  }

  public map(key: string): Data {
    return this.as(key, 'a map', (value) => (isData(value) ? value : undefined)) ?? {};
  }

  /** Maps in a list. */
  public maps(key: string): readonly Data[] {
    return this.list(key).flatMap((each, i) => {
      if (isData(each)) {
        return [each];
      }
      this.problem(`${key}[${String(i)}]`, 'a map', each);
      return [];
    });
  }

  /** Texts in a list. */
  public texts(key: string): string[] {
    return this.list(key).flatMap((each, i) => {
      if (['string', 'number', 'boolean'].includes(typeof each)) {
        return [String(each)];
      }
      this.problem(`${key}[${String(i)}]`, 'a text', each);
      return [];
    });
  }

  /** A map of texts, such as labels. */
  public textMap(key: string): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.map(key)).flatMap(([name, each]) => {
        if (['string', 'number', 'boolean'].includes(typeof each)) {
          return [[name, String(each)] as const];
        }
        if (!isEmpty(each)) {
          this.problem(`${key}.${name}`, 'a text', each);
        }
        return [];
      }),
    );
  }

  /** Says that a value is of a wrong type, or cannot be. */
  public problem(key: string, required: string, value: unknown): void {
    this.problems.push(`${this.place(key)}: \`${key}\` must be ${required}, got ${kindOf(value)}.`);
  }

  private as<T>(key: string, required: string, convert: (value: unknown) => T | undefined): T | undefined {
    const value = this.any(key);
    if (value === undefined) {
      return undefined;
    }
    const converted = convert(value);
    if (converted === undefined && typeof value === 'string' && hasPlaceholder(value)) {
      this.placeholders.add(key);
    } else if (converted === undefined) {
      this.problem(key, required, value);
    }
    return converted;
  }

  private raw(key: string): unknown {
    let value: unknown = this.data;
    for (const part of key.split('.')) {
      value = isData(value) ? value[part] : undefined;
    }
    return value;
  }
}

/** Whether a text has a template of Helm or a placeholder, such as `${port}`. */
export function hasPlaceholder(text: string): boolean {
  return /\{\{|\$\{/.test(text);
}

export function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
