import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { checkConstruct } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import { checkUsername, checkWorkspaceName, type ObjectProps } from './object-props';
import type { PermissionTarget } from './permission-target';

/** What a user may do. */
export enum PermissionLevel {
  /** Read. */
  READ = 'READ',
  /** Read, and call endpoints of the gateway. In a workspace: make experiments and models of its own. */
  USE = 'USE',
  /** Read and change. */
  EDIT = 'EDIT',
  /** Read, change, delete, and grant permissions to others. */
  MANAGE = 'MANAGE',
}

const OF_WORKSPACES = [PermissionLevel.USE, PermissionLevel.MANAGE];

/** Props of {@link MlflowPermission}. */
export interface MlflowPermissionProps extends ObjectProps {
  /** Name of the user: `username` of an {@link MlflowUser} or an {@link MlflowServiceUser}, or of a user who exists. */
  readonly username: string;

  /** What the permission is on. */
  readonly target: PermissionTarget;

  /** What the user may do. A permission on an experiment or a model that the user has already is changed to it. */
  readonly level: PermissionLevel;

  /**
   * Name of the workspace of the experiment or the model, on a server with `workspaces`.
   * @default - the default workspace
   */
  readonly workspace?: string;
}

/** A permission of a user, of a server with `MlflowAuth.basic()`. MLflow 3.17 or later. */
export class MlflowPermission extends Construct {
  public constructor(scope: Construct, id: string, props: MlflowPermissionProps) {
    super(...checkConstruct('MlflowPermission', scope, id, props));
    const { objects, username, target, level, workspace } = props;
    const problems = problemsOf(this);
    checkUsername(problems, 'username', username);
    target._check(problems, 'target');
    checkWorkspaceName(problems, 'workspace', workspace);
    checkTarget(problems, props);
    objects._declare(this, problems, {
      kind: 'permission',
      name: `${username} on ${target._kind.replace('_', ' ')} ${target._name}`,
      workspace,
      fields: { username, target: target._kind, resource: target._name, permission: level },
    });
  }
}

function checkTarget(problems: Problems, { objects, target, level, workspace }: MlflowPermissionProps): void {
  const { _spec: spec, server } = objects;
  if (spec !== undefined && spec.auth === undefined) {
    problems.say(
      `\`objects\` must be of a server with users, and on "${server.serverName}" everybody may do everything.`,
      'Set its `auth`: MlflowAuth.basic().',
    );
  }
  if (target._kind !== 'workspace') {
    return;
  }
  if (!OF_WORKSPACES.includes(level)) {
    problems.add('level', 'must be PermissionLevel.USE or MANAGE on a workspace', level);
  }
  if (workspace !== undefined) {
    problems.add('workspace', 'must be left out where `target` is a workspace', workspace);
  }
  if (spec?.workspaces === false) {
    problems.say(
      `\`target\` needs a server with workspaces, and "${server.serverName}" has none.`,
      'Give it `workspaces: true`.',
    );
  }
}
