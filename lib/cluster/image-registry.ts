import { registryOf } from '../validation/image';
import type { Problems } from '../validation/problems';

const PREFIX = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/i;

/** Where the images of all pods come from. */
export class ImageRegistry {
  /**
   * One mirror of all registries: `quay.io/oauth2-proxy/oauth2-proxy:v7` becomes `prefix/oauth2-proxy/oauth2-proxy:v7`. Images of
   * the mirror's own host stay as they are. `DefaultImages` has those of the library, for the tool that fills the mirror.
   *
   * @param prefix host of the mirror, with a port and a path if it has them, such as `registry.example.com/mirror`
   */
  public static mirror(prefix: string): ImageRegistry {
    return new ImageRegistry({}, prefix);
  }

  /**
   * A mirror for each registry, as a pull-through cache has it. Images of other registries stay as they are.
   *
   * @param prefixes prefix by the host of the registry: `{ 'docker.io': 'registry.example.com/docker-hub' }`
   */
  public static mirrors(prefixes: Record<string, string>): ImageRegistry {
    return new ImageRegistry(prefixes);
  }

  /** The registries that the images name. Choose it for a chart or construct whose images are not in the mirror of the app. */
  public static asWritten(): ImageRegistry {
    return new ImageRegistry({});
  }

  private constructor(
    private readonly prefixes: Record<string, string>,
    private readonly prefix?: string,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    const named = Object.entries(this.prefixes).map(([registry, prefix]) => [`${prop}.${registry}`, prefix] as const);
    const all = this.prefix === undefined ? named : [[`${prop}.prefix`, this.prefix] as const, ...named];
    for (const [field, prefix] of all) {
      if (!PREFIX.test(prefix)) {
        problems.add(field, 'must be a registry with an optional path: host[:port][/path]', prefix);
      }
    }
  }

  /** @internal */
  public _imageOf(image: string): string {
    const { registry, name } = registryOf(image);
    const prefix = this.prefixes[registry] ?? this.prefix;
    return prefix === undefined || registry === prefix.split('/')[0] ? image : `${prefix}/${name}`;
  }
}
