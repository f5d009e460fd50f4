import type { PodPart } from '../../kube/pod/pod-part';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

/**
 * Keys with which MLflow encrypts the secrets that it stores in the database. Keep them: stored secrets cannot be read with
 * other keys.
 */
export interface EncryptionOptions {
  /**
   * Passphrase for the API keys of MLflow's gateway. MLflow requires 32 or more characters, but does not check it;
   * `init-mlflow` refuses an empty one. To change it, stop the server, run `mlflow crypto rotate-kek`, and set the
   * MLFLOW_CRYPTO_KEK_VERSION that it names in `extraEnvVars`.
   * @default - the public default in MLflow's source (mlflow.utils.crypto)
   */
  readonly passphrase?: SecretKey;

  /**
   * Key for the secrets of webhooks: 32 bytes in URL-safe base64 (`openssl rand -base64 32 | tr +/ -_`).
   * @default - the server refuses webhooks that have a secret: MLflow's workers would each make up a key that no other has
   * (mlflow.store.model_registry.dbmodels.models)
   */
  readonly webhookKey?: SecretKey;
}

/** Validates the options. */
export function checkEncryption(
  problems: Problems,
  options: EncryptionOptions = {},
  server: { readonly hasAuth: boolean; readonly variables: readonly string[] },
): void {
  options.passphrase?._check(problems, 'encryption.passphrase');
  options.webhookKey?._check(problems, 'encryption.webhookKey');
  const setting = server.variables.find((name) => /^_?MLFLOW_WEBHOOK_/.test(name));
  if (
    setting !== undefined &&
    options.webhookKey === undefined &&
    !server.variables.includes('MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY')
  ) {
    problems.say(
      `\`encryption.webhookKey\` is required with webhooks, which ${setting} in \`extraEnvVars\` sets up.`,
      'Otherwise the server refuses webhooks that have a secret. Pass SecretKey.fromSecretName(name, key).',
    );
  }
  if (server.hasAuth && options.passphrase === undefined) {
    problems.add(
      'encryption.passphrase',
      'is required with `auth`',
      options.passphrase,
      'Otherwise MLflow encrypts the API keys of its gateway with the public passphrase in its source. Pass SecretKey.fromSecretName(name, key).',
    );
  }
}

/** The environment variables with the keys. */
export function encryptionPart({ passphrase, webhookKey }: EncryptionOptions = {}): PodPart {
  return {
    of: 'encryption',
    envVariables: {
      ...(passphrase && { MLFLOW_CRYPTO_KEK_PASSPHRASE: passphrase._value() }),
      ...(webhookKey && { MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: webhookKey._value() }),
    },
  };
}
