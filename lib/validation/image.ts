import type { Problems } from './problems';

const LONGEST_NAME = 255;
const DOCKER_HUB = 'docker.io';

// The grammar of https://pkg.go.dev/github.com/distribution/reference, by which the kubelet reads an image.
const REGISTRY = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d+)?$/i;
const NAME = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const UNSET = /(^|[/:@])(undefined|null|NaN)(?=[/:@]|$)/;

/** Validates an image, by tag or digest. */
export function checkImage(problems: Problems, prop: string, image: string | undefined): void {
  if (image === undefined) {
    return;
  }
  const { name, tag, digest } = partsOf(image);
  const hint = hintFor(image, name, tag, digest);
  if (hint !== undefined) {
    problems.add(prop, 'must be a reference to an image, [registry[:port]/]name[:tag][@digest]', image, hint);
  } else if (tag === undefined && digest === undefined) {
    problems.add(
      prop,
      'must have a tag or a digest',
      image,
      'Kubernetes would take the tag `latest`, which changes by itself, and each node would keep the one that it pulled first. Write :latest if that is meant.',
    );
  }
}

/** The registry of an image, Docker Hub where it names none, and the rest as that registry knows it. */
export function registryOf(image: string): { readonly registry: string; readonly name: string } {
  const [first = '', ...others] = image.split('/');
  const registry = isRegistry(first, others) ? first : DOCKER_HUB;
  const name = registry === first ? others.join('/') : image;
  return { registry, name: registry === DOCKER_HUB && !name.includes('/') ? `library/${name}` : name };
}

/** Minor version of MLflow in an image, where its name and tag tell. */
export function mlflow3MinorOf(image: string): number | undefined {
  const { name, tag = '' } = partsOf(image);
  const minor = /mlflow[^/]*$/.test(name) ? /^v?3\.(\d+)/.exec(tag)?.[1] : undefined;
  return minor === undefined ? undefined : Number(minor);
}

function isRegistry(first: string, others: readonly string[]): boolean {
  return others.length > 0 && (/[.:]/.test(first) || first === 'localhost');
}

interface ImageParts {
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

function partsOf(image: string): ImageParts {
  const [named = '', ...digests] = image.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  return {
    name: colon < 0 ? named : named.slice(0, colon),
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest: digests.length === 0 ? undefined : digests.join('@'),
  };
}

/** What is wrong with an image, as the way out; undefined where nothing is. */
function hintFor(image: string, name: string, tag?: string, digest?: string): string | undefined {
  const components = name.split('/');
  const [first = '', ...others] = components;
  const hasRegistry = isRegistry(first, others);
  const path = hasRegistry ? others : components;
  const hints: [boolean, string][] = [
    [/^[a-z]+:\/\//i.test(image), 'Leave out the scheme.'],
    [image === '' || UNSET.test(image), 'If it comes from an environment variable, set that before the synthesis.'],
    [/\s/.test(image), 'Leave out spaces and line breaks.'],
    [components.includes(''), 'Leave out the slash that has nothing before it or after it.'],
    [hasRegistry && !REGISTRY.test(first), 'The registry is a host name, with a port if it needs one.'],
    [/[A-Z]/.test(path.join()), 'Write the name in lower case.'],
    [
      !path.every((each) => NAME.test(each)),
      'A name has lower-case letters and digits, with single dots, dashes and underscores between.',
    ],
    [name.length > LONGEST_NAME, `A name has at most ${String(LONGEST_NAME)} characters.`],
    [
      tag !== undefined && !TAG.test(tag),
      'A tag has up to 128 letters, digits, dots, dashes and underscores, and there is one.',
    ],
    [digest !== undefined && !DIGEST.test(digest), 'A digest is sha256: and 64 hexadecimal digits.'],
    [/^[0-9a-f]{64}$/.test(name), 'A name is not the id of an image.'],
  ];
  return hints.find(([isWrong]) => isWrong)?.[1];
}
