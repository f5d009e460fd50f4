import type { Problems } from '../validation/problems';

import { checkExperimentName, checkModelName, checkWorkspaceName } from './object-props';

/** What a permission is on. */
export class PermissionTarget {
  /**
   * An experiment, with its runs.
   *
   * @param experimentName its name, such as `experimentName` of an `MlflowExperiment`
   */
  public static experiment(experimentName: string): PermissionTarget {
    return new PermissionTarget('experiment', experimentName, checkExperimentName);
  }

  /**
   * A registered model, with its versions.
   *
   * @param modelName its name, such as `modelName` of an `MlflowRegisteredModel`
   */
  public static registeredModel(modelName: string): PermissionTarget {
    return new PermissionTarget('registered_model', modelName, checkModelName);
  }

  /**
   * A whole workspace: PermissionLevel.USE for a member, who may make experiments and models of its own in it, or
   * PermissionLevel.MANAGE for its administrator.
   *
   * @param workspace its name, such as `workspaceName` of an `MlflowWorkspace`
   */
  public static workspace(workspace: string): PermissionTarget {
    return new PermissionTarget('workspace', workspace, checkWorkspaceName);
  }

  private constructor(
    /** @internal */
    public readonly _kind: 'experiment' | 'registered_model' | 'workspace',
    /** @internal */
    public readonly _name: string,
    private readonly checkName: (problems: Problems, prop: string, name: string) => void,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    this.checkName(problems, prop, this._name);
  }
}
