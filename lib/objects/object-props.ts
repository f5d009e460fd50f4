import type { Problems } from '../validation/problems';

import type { MlflowObjects } from './mlflow-objects';

/** Props that all declarations of objects share. */
export interface ObjectProps {
  /** The Job that makes the object. */
  readonly objects: MlflowObjects;
}

const LONGEST_EXPERIMENT = 500;
const LONGEST_MODEL = 256;
const LONGEST_USERNAME = 255;
const LONGEST_TAG_KEY = 250;
/** As `posixpath.normpath` of Python would change it: MLflow refuses names that mean another file. */
const OTHER_PATH = /^\/|\/$|\/\/|(^|\/)\.{1,2}(\/|$)/;
const WORKSPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const RESERVED_WORKSPACES = ['workspaces', 'api', 'ajax-api', 'static-files'];

/** Validates the name of an experiment, as MLflow does (`_validate_experiment_name`). */
export function checkExperimentName(problems: Problems, prop: string, name: string): void {
  if (name.trim() === '' || name.length > LONGEST_EXPERIMENT) {
    problems.add(prop, `must have 1 to ${String(LONGEST_EXPERIMENT)} characters that are not all spaces`, name);
  }
}

/** Validates the name of a registered model, as MLflow does (`_validate_model_name`). */
export function checkModelName(problems: Problems, prop: string, name: string): void {
  if (name.trim() === '' || name.length > LONGEST_MODEL || /[/:]/.test(name) || OTHER_PATH.test(name)) {
    problems.add(
      prop,
      `must have 1 to ${String(LONGEST_MODEL)} characters without / and :, and must not be . or ..`,
      name,
    );
  }
}

/** Validates the name of a user. HTTP ends it at its first colon. */
export function checkUsername(problems: Problems, prop: string, name: string): void {
  if (name.length > LONGEST_USERNAME || !/^[!-9;-~]+$/.test(name)) {
    problems.add(
      prop,
      `must be printable ASCII without spaces and colons, with at most ${String(LONGEST_USERNAME)} characters`,
      name,
    );
  }
}

/** Validates the name of a workspace, as MLflow does (`WorkspaceNameValidator`). */
export function checkWorkspaceName(problems: Problems, prop: string, name: string | undefined): void {
  if (name !== undefined && (name.length < 2 || name.length > 63 || !WORKSPACE.test(name))) {
    problems.add(prop, 'must be 2 to 63 lower-case letters, digits and inner dashes', name);
  } else if (name !== undefined && RESERVED_WORKSPACES.includes(name)) {
    problems.add(prop, `must be none of the names that MLflow reserves (${RESERVED_WORKSPACES.join(', ')})`, name);
  }
}

/** Validates the keys of tags, as MLflow does (`_validate_tag_name`). */
export function checkTags(problems: Problems, tags: Record<string, string> = {}): void {
  for (const key of Object.keys(tags)) {
    if (!/^[/\w.\- :]+$/.test(key) || key.length > LONGEST_TAG_KEY || OTHER_PATH.test(key)) {
      problems.add(
        'tags',
        `must have keys of 1 to ${String(LONGEST_TAG_KEY)} letters, digits, spaces and _ - . : / that are no path to another file`,
        key,
      );
    }
  }
}
