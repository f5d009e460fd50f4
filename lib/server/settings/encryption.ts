import type { PodPart } from '../../kube/pod/pod-part';
import type { Problems } from '../../validation/problems';
import type { SecretKey } from '../../kube/values/secret-key';

/**
 * What MLflow encrypts secrets with that it stores in the database. Keep them: with another value, what is stored cannot be
 * read any more.
 */
export interface EncryptionOptions {
  /**
   * The passphrase for the API keys of MLflow's gateway. MLflow asks for 32 characters or more, but does not count them;
   * `init-mlflow` refuses an empty one. To change it, stop the server, run `mlflow crypto rotate-kek`, and set the
   * MLFLOW_CRYPTO_KEK_VERSION that it names in `extraEnvVars`.
   * @default - the one in MLflow's source (mlflow.utils.crypto), which everybody knows
   */
  readonly passphrase?: SecretKey;

  /**
   * The key for the secrets of webhooks: 32 bytes in URL-safe base64 (`openssl rand -base64 32 | tr +/ -_`).
   * @default - one that each worker makes up (mlflow.store.model_registry.dbmodels.models), so that no other can read it
   */
  readonly webhookKey?: SecretKey;
}

/** Validates the options. Whoever logs in shares the server with others. */
export function checkEncryption(problems: Problems, options: EncryptionOptions = {}, isShared: boolean): void {
  options.passphrase?._check(problems, 'encryption.passphrase');
  options.webhookKey?._check(problems, 'encryption.webhookKey');
  if (isShared && options.passphrase === undefined) {
    problems.add(
      'encryption.passphrase',
      'is required with `auth`',
      options.passphrase,
      'MLflow would encrypt the API keys of its gateway with a passphrase that is in its source. Pass SecretKey.fromSecretName(name, key).',
    );
  }
}

/** The keys as MLflow reads them. */
export function encryptionPart({ passphrase, webhookKey }: EncryptionOptions = {}): PodPart {
  return {
    of: 'encryption',
    envVariables: {
      ...(passphrase && { MLFLOW_CRYPTO_KEK_PASSPHRASE: passphrase._value() }),
      ...(webhookKey && { MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: webhookKey._value() }),
    },
  };
}
