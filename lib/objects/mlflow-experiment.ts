import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { checkConstruct } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import { checkExperimentName, checkTags, checkWorkspaceName, type ObjectProps } from './object-props';

/** MLflow shows the text of this tag as the description. */
const DESCRIPTION_TAG = 'mlflow.note.content';
const LONGEST_LOCATION = 2048;

/** Props of {@link MlflowExperiment}. */
export interface MlflowExperimentProps extends ObjectProps {
  /**
   * Name of the experiment.
   * @default - the construct's id
   */
  readonly experimentName?: string;

  /**
   * Text about the experiment, in Markdown.
   * @default - the text that it has
   */
  readonly description?: string;

  /**
   * Tags, by their keys. Other tags stay.
   * @default - none
   */
  readonly tags?: Record<string, string>;

  /**
   * URI of the folder of its artifacts, such as `s3://models/churn`. It cannot be changed later.
   * @default - a folder below the server's `artifactRoot`
   */
  readonly artifactLocation?: string;

  /**
   * Name of its workspace, on a server with `workspaces`.
   * @default - the default workspace
   */
  readonly workspace?: string;
}

/** An experiment. */
export class MlflowExperiment extends Construct {
  /** Name of the experiment. */
  public readonly experimentName: string;

  public constructor(scope: Construct, id: string, props: MlflowExperimentProps) {
    super(...checkConstruct('MlflowExperiment', scope, id, props));
    const { experimentName = id, description, tags, artifactLocation, workspace, objects } = props;
    const problems = problemsOf(this);
    checkExperimentName(problems, 'experimentName', experimentName);
    checkTags(problems, tags);
    checkWorkspaceName(problems, 'workspace', workspace);
    checkLocation(problems, props);
    if (description !== undefined && tags?.[DESCRIPTION_TAG] !== undefined) {
      problems.reserved(`tags: ${DESCRIPTION_TAG}`, 'description');
    }
    this.experimentName = experimentName;
    objects._declare(this, problems, {
      kind: 'experiment',
      name: experimentName,
      workspace,
      fields: {
        tags: { ...tags, ...(description !== undefined && { [DESCRIPTION_TAG]: description }) },
        artifact_location: artifactLocation,
      },
    });
  }
}

function checkLocation(problems: Problems, { artifactLocation, workspace, objects }: MlflowExperimentProps): void {
  if (artifactLocation === undefined) {
    return;
  }
  const hasParent = /(^|[/\\])\.\.([/\\]|$)/.test(artifactLocation);
  if (
    !/^[a-z][-+.a-z0-9]*:\/[^#?\s]*$/.test(artifactLocation) ||
    hasParent ||
    artifactLocation.length > LONGEST_LOCATION
  ) {
    problems.add(
      'artifactLocation',
      `must be a URI of at most ${String(LONGEST_LOCATION)} characters without .., #, ? and spaces`,
      artifactLocation,
      'Such as s3://models/churn.',
    );
  }
  if (workspace !== undefined || objects._spec?.workspaces === true) {
    problems.say(
      '`artifactLocation` must be left out on a server with workspaces: MLflow takes the one of the workspace.',
      'Set `defaultArtifactRoot` of the MlflowWorkspace.',
    );
  }
}
