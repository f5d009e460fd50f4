import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { checkConstruct } from '../validation/arguments';

import { checkWorkspaceName, type ObjectProps } from './object-props';

/** Props of {@link MlflowWorkspace}. */
export interface MlflowWorkspaceProps extends ObjectProps {
  /**
   * Name of the workspace: 2 to 63 lower-case letters, digits and inner dashes.
   * @default - the construct's id
   */
  readonly workspaceName?: string;

  /**
   * Text about the workspace.
   * @default - the text that it has
   */
  readonly description?: string;

  /**
   * URI of the folder for artifacts of its experiments, such as `s3://models/team`. It is for experiments that are made later.
   * @default - a folder of the workspace below the server's `artifactRoot`
   */
  readonly defaultArtifactRoot?: string;
}

/** A workspace of a server with `workspaces`. */
export class MlflowWorkspace extends Construct {
  /** Name of the workspace. */
  public readonly workspaceName: string;

  public constructor(scope: Construct, id: string, props: MlflowWorkspaceProps) {
    super(...checkConstruct('MlflowWorkspace', scope, id, props));
    const { workspaceName = id, description, defaultArtifactRoot, objects } = props;
    const problems = problemsOf(this);
    checkWorkspaceName(problems, 'workspaceName', workspaceName);
    this.workspaceName = workspaceName;
    objects._declare(this, problems, {
      kind: 'workspace',
      name: workspaceName,
      fields: { description, default_artifact_root: defaultArtifactRoot },
    });
  }
}
