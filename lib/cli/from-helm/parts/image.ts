import { value } from '../../code/code';

import type { Release } from '../release';

/** Public images of MLflow, instead of which the app has the official one, if its version is supported. */
const PUBLIC_IMAGES = /(^|\/)(burakince\/mlflow|bitnami(legacy|secure)?\/mlflow|mlflow\/mlflow)$/;
const OLDEST_MINOR = 15;

/** Sets the image: an own one as it is, a public one as the official one of the same version. */
export function setImage(
  release: Release,
  keys: readonly string[],
  image: { repository?: string; tag?: string; digest?: string },
): void {
  const { repository, tag = '', digest } = image;
  if (repository !== undefined && !PUBLIC_IMAGES.test(repository)) {
    const reference = digest === undefined ? `${repository}:${tag === '' ? 'latest' : tag}` : `${repository}@${digest}`;
    release.set('image', value(reference));
    if (digest === undefined && tag === '') {
      release.note(
        'to do',
        keys,
        'The chart took a tag of its own, by its version: put it into the app instead of `latest`.',
      );
    }
    release.note(
      'changed',
      keys,
      `The image ${reference} needs MLflow 3.15 or later, psycopg2, and uvicorn 0.37 or later: it runs the checks and the migration, too.`,
    );
    return;
  }
  if (digest !== undefined) {
    release.note(
      'to do',
      keys,
      `The digest ${digest} is of another image than the app has: set \`image\`, if it has to be this one.`,
    );
  }
  const [, version, minor] = /^v?(3\.(\d+)\.\d+)/.exec(tag) ?? [];
  if (version !== undefined && Number(minor) >= OLDEST_MINOR) {
    release.set('image', value(`ghcr.io/mlflow/mlflow:v${version}-full`));
    release.note(
      'changed',
      keys,
      `MLflow ${version} comes in the official image, with all that PostgreSQL and the object stores need.`,
    );
  } else {
    release.note(
      'changed',
      keys,
      `${tag === '' ? 'The version of the chart' : `MLflow ${tag}`} becomes that of the library's default image, and the schema of the database is upgraded to it: make a dump before. MLflow cannot go back.`,
    );
  }
}
