import { Construct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { checkRoute, type NetworkRoute, routeAt } from '../kube/network/network-route';
import type { SecretKey } from '../kube/values/secret-key';
import { checkConstruct } from '../validation/arguments';
import type { Problems } from '../validation/problems';

import type { MlflowObjects } from './mlflow-objects';
import { checkWorkspaceName, type ObjectProps } from './object-props';
import { hasLogin, isPrivate, outgoingUrl, portOf } from './outgoing-url';
import type { WebhookEvent } from './webhook-event';
import { openWebhookRoute } from './webhook-route';

/** As MLflow has it (`_validate_webhook_name`). */
const NAME = /^[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
/** Sizes of the columns (`SqlWebhook`). */
const LONGEST_URL = 500;
const LONGEST_DESCRIPTION = 1000;

/** Props of {@link MlflowWebhook}. */
export interface MlflowWebhookProps extends ObjectProps {
  /**
   * Name of the webhook: 1 to 63 letters, digits and inner dots, underscores and dashes. MLflow allows several webhooks of one name; the
   * Job refuses to choose between them.
   * @default - the construct's id
   */
  readonly webhookName?: string;

  /**
   * URL to which MLflow sends events: HTTPS, with a certificate of a public CA, at a public address. It is in the manifest, so that
   * nothing in it may be secret. An address in the cluster needs `extraEnvVars.MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: 'true'` of the server.
   */
  readonly url: string;

  /** The events, one or more. A webhook that is there gets exactly these. */
  readonly events: WebhookEvent[];

  /**
   * Text about the webhook, of at most 1000 characters.
   * @default - the text that it has
   */
  readonly description?: string;

  /**
   * Secret with which MLflow signs events (HMAC-SHA256, in the header `X-MLflow-Signature`), of at most 687 bytes. MLflow does not
   * show it to anybody, so each run of the Job sets it. It needs `encryption.webhookKey` of the server.
   * @default - the secret that it has; a new webhook has none, and its events are not signed
   */
  readonly secret?: SecretKey;

  /**
   * Whether MLflow sends events to it.
   * @default - a new webhook is active, and one that exists stays what it is
   */
  readonly isActive?: boolean;

  /**
   * Name of the workspace whose events are sent, on a server with `workspaces`.
   * @default - the default workspace
   */
  readonly workspace?: string;

  /**
   * Network route from the server's pods to the receiver, for a server with `isolation`.
   * @default - the port of the URL at any address
   */
  readonly route?: NetworkRoute;
}

/**
 * A webhook: MLflow sends events of the model registry, of prompts and of budgets to a URL. MLflow 3.15 or later.
 *
 * Workers of the server know of a change after at most a minute (MLFLOW_WEBHOOK_CACHE_TTL).
 */
export class MlflowWebhook extends Construct {
  /** Name of the webhook. */
  public readonly webhookName: string;

  public constructor(scope: Construct, id: string, props: MlflowWebhookProps) {
    super(...checkConstruct('MlflowWebhook', scope, id, props));
    const { webhookName = id, url, events, description, secret, isActive, workspace, objects, route } = props;
    const problems = problemsOf(this);
    if (!NAME.test(webhookName)) {
      problems.add(
        'webhookName',
        'must be 1 to 63 letters, digits and inner dots, underscores and dashes',
        webhookName,
      );
    }
    const parsedUrl = checkUrl(problems, objects, url);
    checkEvents(problems, events);
    if (description !== undefined && description.length > LONGEST_DESCRIPTION) {
      problems.add('description', `must have at most ${String(LONGEST_DESCRIPTION)} characters`, description);
    }
    checkSecret(problems, objects, secret);
    checkWorkspaceName(problems, 'workspace', workspace);
    checkRoute(problems, 'route', route);
    this.webhookName = webhookName;
    objects._declare(this, problems, {
      kind: 'webhook',
      name: webhookName,
      workspace,
      fields: { url, events: [...events].sort(), description, is_active: isActive },
      secret,
    });
    openWebhookRoute(objects.server, routeAt(portOf(parsedUrl), route));
  }
}

function checkUrl(problems: Problems, objects: MlflowObjects, text: string): URL | undefined {
  const url = outgoingUrl(text, LONGEST_URL, allows(objects, 'MLFLOW_WEBHOOK_ALLOWED_SCHEMES'));
  if (url === undefined) {
    problems.add('url', `must be a URL of https, of at most ${String(LONGEST_URL)} characters`, text);
    return undefined;
  }
  if (hasLogin(url)) {
    problems.say('`url` must be without a login: it is in the manifest.', 'Let the receiver verify `secret`.');
  }
  if (isPrivate(url) && !allows(objects, 'MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS')) {
    problems.add(
      'url',
      'must be at a public address: MLflow refuses others',
      text,
      "Or allow them to everybody who may make webhooks: `extraEnvVars` of the server, MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS: EnvValue.fromValue('true').",
    );
  }
  return url;
}

/** Whether the server, as far as it is known, has this variable. */
function allows({ _spec: spec }: MlflowObjects, variable: string): boolean {
  return spec === undefined || variable in spec.extraEnvVars;
}

function checkEvents(problems: Problems, events: readonly WebhookEvent[]): void {
  if (events.length === 0) {
    problems.say('`events` must name at least one event, got none.');
  }
  const twice = events.find((event, i) => events.indexOf(event) < i);
  if (twice !== undefined) {
    problems.add('events', 'must name each event once', twice);
  }
}

function checkSecret(problems: Problems, objects: MlflowObjects, secret: SecretKey | undefined): void {
  secret?._check(problems, 'secret');
  const { _spec: spec, server } = objects;
  const hasKey = spec?.encryption?.webhookKey !== undefined || allows(objects, 'MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY');
  if (secret !== undefined && !hasKey) {
    problems.say(
      `\`secret\` needs a server with a key for it, and "${server.serverName}" has none.`,
      'Set `encryption.webhookKey` of the server.',
    );
  }
}
