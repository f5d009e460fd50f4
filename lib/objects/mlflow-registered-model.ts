import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { checkConstruct } from '../validation/arguments';

import { checkModelName, checkTags, checkWorkspaceName, type ObjectProps } from './object-props';

/** Props of {@link MlflowRegisteredModel}. */
export interface MlflowRegisteredModelProps extends ObjectProps {
  /**
   * Name of the model.
   * @default - the construct's id
   */
  readonly modelName?: string;

  /**
   * Text about the model, in Markdown.
   * @default - the text that it has
   */
  readonly description?: string;

  /**
   * Tags, by their keys. Other tags stay.
   * @default - none
   */
  readonly tags?: Record<string, string>;

  /**
   * Name of its workspace, on a server with `workspaces`.
   * @default - the default workspace
   */
  readonly workspace?: string;
}

/** A registered model. Its versions come from runs. */
export class MlflowRegisteredModel extends Construct {
  /** Name of the model. */
  public readonly modelName: string;

  public constructor(scope: Construct, id: string, props: MlflowRegisteredModelProps) {
    super(...checkConstruct('MlflowRegisteredModel', scope, id, props));
    const { modelName = id, description, tags = {}, workspace, objects } = props;
    const problems = problemsOf(this);
    checkModelName(problems, 'modelName', modelName);
    checkTags(problems, tags);
    checkWorkspaceName(problems, 'workspace', workspace);
    this.modelName = modelName;
    objects._declare(this, problems, {
      kind: 'registered model',
      name: modelName,
      workspace,
      fields: { description, tags },
    });
  }
}
