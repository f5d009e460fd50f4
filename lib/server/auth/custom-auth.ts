import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import { checkRoute, type NetworkRoute } from '../../kube/network/network-route';
import type { FileSource } from '../../kube/values/file-source';
import type { SecretKey } from '../../kube/values/secret-key';
import { checkVariableNames } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkServerVariables } from '../server-options';

import { type AuthContext, type AuthParts, type AuthStrategy, NO_AUTH } from './auth-strategy';
import { BasicAuth, type BasicAuthOptions } from './basic-auth';
import { checkReadiness } from './user-database';

/** Python imports modules from here. */
const PYTHON_FOLDER = '/opt/mlflow/login';

/** The apps that have a factory of their own, by the value of `--app-name`. */
const TYPED_APPS: Record<string, string> = { 'basic-auth': 'MlflowAuth.basic()', 'oidc-auth': 'MlflowAuth.oidc()' };

/** The code of a login of your own. */
export class CustomLogin {
  /**
   * A function in Python that says who sends a request, such as one that asks an LDAP server. All else is MLflow's
   * `basic-auth`: the users and their permissions are in PostgreSQL, and the function makes those that it admits.
   *
   * @param name the function, as `module:function`. It takes no arguments, reads `flask.request`, and returns a
   * `werkzeug.datastructures.Authorization` with the `username`, or a Flask response that refuses the request.
   * @param options options of `basic-auth`; `passwordCache` has no effect
   * @see https://mlflow.org/docs/latest/self-hosting/security/custom/
   */
  public static authorizationFunction(name: string, options: BasicAuthOptions): CustomLogin {
    return new CustomLogin(new BasicAuth(options, name));
  }

  /**
   * An app instead of MLflow's own: a package of the image or of `files` with an entry point of the group `mlflow.app`. It is
   * an ASGI app, has all of MLflow's paths, prepares its own tables, and answers `/health` (below `staticPrefix`) without a login.
   *
   * @param name name of the entry point, the value of `mlflow server --app-name`
   * @see https://mlflow.org/docs/latest/ml/plugins/
   */
  public static app(name: string): CustomLogin {
    return new CustomLogin(new App(name));
  }

  private constructor(
    /** @internal */
    public readonly _strategy: AuthStrategy,
  ) {}
}

/** Options of {@link MlflowAuth.custom}. */
export interface CustomAuthOptions {
  /** The function or the app that knows the users. */
  readonly login: CustomLogin;

  /**
   * Files in a folder that Python imports from, by their path in it: `ldap_auth.py`, `ldap_auth-1.0.dist-info/entry_points.txt`.
   * Python reads them at the start of a pod. A changed Secret or ConfigMap needs new pods.
   * @default - none: the image contains the code
   */
  readonly files?: Record<string, FileSource>;

  /**
   * Environment variables of the server for the login.
   * @default - none
   */
  readonly envVariables?: Record<string, kplus.EnvValue>;

  /**
   * Environment variables from Secrets, such as a password that the login needs itself.
   * @default - none
   */
  readonly secrets?: Record<string, SecretKey>;

  /**
   * Network routes that the login needs, for servers with `isolation`, such as the one to an LDAP server.
   * @default - none
   */
  readonly routes?: NetworkRoute[];
}

/** A login of the user's own, with its files and variables. */
export class CustomAuth implements AuthStrategy {
  public constructor(private readonly options: CustomAuthOptions) {}

  public check(problems: Problems, context: AuthContext): void {
    const { login, files = {}, envVariables = {}, secrets = {}, routes = [] } = this.options;
    login._strategy.check(problems, context);
    for (const [path, source] of Object.entries(files)) {
      if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(path)) {
        problems.add('auth.files', 'must have paths of letters, digits, dots, dashes and slashes', path);
      }
      source._check(problems, `auth.files["${path}"]`);
    }
    for (const [prop, variables] of Object.entries({ 'auth.envVariables': envVariables, 'auth.secrets': secrets })) {
      checkVariableNames(problems, prop, variables);
      checkServerVariables(problems, prop, Object.keys(variables));
    }
    for (const [name, key] of Object.entries(secrets)) {
      key._check(problems, `auth.secrets.${name}`);
    }
    routes.forEach((route, i) => {
      checkRoute(problems, `auth.routes[${String(i)}]`, route);
    });
  }

  public bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts {
    const { login, files = {}, envVariables, secrets = {}, routes } = this.options;
    const values = Object.entries(secrets).map(([name, key]) => [name, key._value()] as const);
    return {
      ...login._strategy.bind(scope, labels, context),
      custom: [
        { of: 'auth.envVariables', isExtra: true, envVariables },
        { of: 'auth.secrets', isExtra: true, envVariables: Object.fromEntries(values) },
        {
          of: 'auth',
          volumeMounts: Object.entries(files).map(([path, source], i) => ({
            ...source._mount(scope, `auth-file-${String(i)}`, `${PYTHON_FOLDER}/${path}`, 'file'),
            // Each is a volume of its own, and they share folders.
            subPath: 'file',
          })),
          routes,
        },
      ],
      pythonFolder: PYTHON_FOLDER,
    };
  }
}

/** An app by its name. It keeps users where it wants to. */
class App implements AuthStrategy {
  public constructor(private readonly name: string) {}

  public check(problems: Problems, context: AuthContext): void {
    const factory = TYPED_APPS[this.name];
    if (factory !== undefined) {
      problems.add('auth.login', 'must be an app of your own', this.name, `Use ${factory}.`);
    } else if (!/^\w[\w.-]*$/.test(this.name)) {
      problems.add('auth.login', 'must be the name of an entry point of the group mlflow.app', this.name);
    }
    checkReadiness(problems, context);
  }

  public bind(): AuthParts {
    return {
      ...NO_AUTH,
      arguments: [`--app-name=${this.name}`],
      replacesApp: true,
      // Most have a pool for their users. One that has none leaves connections unused.
      engines: 1,
    };
  }
}
