import { TYPES } from './public-api';

/** Every error and every cause, with the way out: docs/errors.md on the site. */
export const ERRORS_PAGE = 'https://cdk8s-mlflow.github.io/cdk8s-mlflow/errors';

let members: ReadonlySet<string> | undefined;

/**
 * The error of an app. Node.js shows `see` below an error that nothing catches. Where jsii runs the library for another language,
 * there is no stack: all of it would be Node.js'.
 */
export function appError(message: string): Error {
  const error = Object.assign(new Error(inAppLanguage(message)), { see: ERRORS_PAGE });
  if (process.env.JSII_AGENT !== undefined) {
    error.stack = `${String(error)}\nSee ${ERRORS_PAGE}`;
  }
  return error;
}

/** A text for the developer of an app, in which members have the names of the app's language: `max_connections` in Python. */
export function inAppLanguage(text: string): string {
  // jsii sets it, such as `Python/3.11.7`.
  if (process.env.JSII_AGENT?.startsWith('Python/') !== true) {
    return text;
  }
  members ??= new Set(
    Object.values(TYPES).flatMap(({ struct, interface: properties, new: parameters, static: statics, instance }) => [
      ...Object.keys({ ...struct, ...properties, ...parameters, ...statics, ...instance }),
      ...Object.values({ ...statics, ...instance }).flatMap((each) => Object.keys(each)),
    ]),
  );
  // Not within quotation marks: values that were given.
  return text.replace(/"[^"\n]*"|(?<![\w$-])[a-z]+(?:[A-Z][a-z0-9]*)+\b/g, (word) =>
    members?.has(word) === true ? word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : word,
  );
}
