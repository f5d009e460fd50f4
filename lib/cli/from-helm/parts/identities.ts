import { call, type Code, mlflow, struct, value } from '../../code/code';

import type { NeededKey, Release } from '../release';
import { hasPlaceholder } from '../values';

export const AWS_KEYS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
export const AZURE_KEYS = ['AZURE_STORAGE_CONNECTION_STRING', 'AZURE_STORAGE_ACCESS_KEY'];

/** An access key in a Secret. */
export function awsKeys(secretName: string, idKey?: string, secretKey?: string): Code {
  const options = {
    accessKeyIdKey: idKey === undefined || idKey === 'AWS_ACCESS_KEY_ID' ? undefined : value(idKey),
    secretAccessKeyKey: secretKey === undefined || secretKey === 'AWS_SECRET_ACCESS_KEY' ? undefined : value(secretKey),
  };
  const args = Object.values(options).every((each) => each === undefined)
    ? []
    : [struct(mlflow('AwsSecretKeysOptions'), options)];
  return call(mlflow('AwsIdentity'), 'fromSecretName', value(secretName), ...args);
}

/** The access key of the values, in a Secret that the user has to make. */
export function neededAwsKeys(release: Release, from?: NeededKey['from']): Code {
  const name = release.need({
    name: `${release.names.server}-s3`,
    keys: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((key) => ({
      key,
      value: key === 'AWS_ACCESS_KEY_ID' ? 'the id of the access key' : 'the secret access key',
      from: from && { secret: from.secret, key },
    })),
  });
  return awsKeys(name);
}

/** A secret of a storage account, in a Secret that the user has to make. */
export function neededAzureKey(
  release: Release,
  name: 'AZURE_STORAGE_CONNECTION_STRING' | 'AZURE_STORAGE_ACCESS_KEY',
  from?: NeededKey['from'],
): Code {
  const isKey = name === 'AZURE_STORAGE_ACCESS_KEY';
  const secret = release.need({
    name: `${release.names.server}-azure`,
    keys: [
      { key: name, value: isKey ? 'the access key of the account' : 'the connection string of the account', from },
    ],
  });
  return call(mlflow('AzureBlobCredentials'), isKey ? 'fromAccessKey' : 'fromConnectionString', value(secret));
}

/** The login that keys of the chart name. Variables that say it once more are taken, since the store sets them. */
export function identityOr(release: Release, identity: Code | undefined, names: readonly string[]): Code | undefined {
  const keys = identity === undefined ? [] : names.flatMap((name) => release.environment.take(name)?.key ?? []);
  if (keys.length > 0) {
    release.note(
      'changed',
      keys,
      'The store sets them, from the Secret that the app names: see that it has these values.',
    );
  }
  return identity;
}

export function awsIdentity(release: Release, keys: readonly string[]): Code {
  const { environment, serviceAccount } = release;
  const id = environment.take('AWS_ACCESS_KEY_ID');
  const secret = environment.take('AWS_SECRET_ACCESS_KEY');
  if (id?.secret !== undefined && id.secret.name === secret?.secret?.name) {
    return awsKeys(id.secret.name, id.secret.key, secret.secret.key);
  }
  if (id !== undefined || secret !== undefined) {
    return neededAwsKeys(release);
  }
  const role = serviceAccount.annotations['eks.amazonaws.com/role-arn'];
  if (role !== undefined && serviceAccount.isCreated && serviceAccount.name === undefined) {
    delete serviceAccount.annotations['eks.amazonaws.com/role-arn'];
    return call(
      mlflow('AwsIdentity'),
      'fromRole',
      identified(release, keys, role, 'arn:aws:iam::123456789012:role/mlflow'),
    );
  }
  if (role === undefined) {
    release.note(
      'changed',
      keys,
      'The pods take the identity that the SDK finds (AwsIdentity.ambient()): that of the node or of their ServiceAccount, or keys from envFrom.',
    );
  }
  return call(mlflow('AwsIdentity'), 'ambient');
}

export function googleIdentity(release: Release, keys: readonly string[]): Code {
  const { serviceAccount } = release;
  const account = serviceAccount.annotations['iam.gke.io/gcp-service-account'];
  if (account !== undefined && serviceAccount.isCreated && serviceAccount.name === undefined) {
    delete serviceAccount.annotations['iam.gke.io/gcp-service-account'];
    return call(
      mlflow('GoogleIdentity'),
      'fromServiceAccount',
      identified(release, keys, account, 'mlflow@project.iam.gserviceaccount.com'),
    );
  }
  return call(mlflow('GoogleIdentity'), 'ambient');
}

export function azureCredentials(release: Release, keys: readonly string[]): Code {
  const { environment, serviceAccount } = release;
  const factories = [
    ['AZURE_STORAGE_CONNECTION_STRING', 'fromConnectionString'],
    ['AZURE_STORAGE_ACCESS_KEY', 'fromAccessKey'],
  ] as const;
  for (const [name, factory] of factories) {
    const variable = environment.take(name);
    if (variable?.secret !== undefined) {
      return call(mlflow('AzureBlobCredentials'), factory, value(variable.secret.name), value(variable.secret.key));
    }
    if (variable !== undefined) {
      return neededAzureKey(release, name);
    }
  }
  const clientId = serviceAccount.annotations['azure.workload.identity/client-id'];
  const isOwn = clientId !== undefined && serviceAccount.isCreated && serviceAccount.name === undefined;
  if (isOwn) {
    delete serviceAccount.annotations['azure.workload.identity/client-id'];
  } else if (clientId === undefined) {
    release.note('changed', keys, 'The pods take the identity of their ServiceAccount (AzureIdentity.ambient()).');
  }
  const identity = isOwn
    ? call(
        mlflow('AzureIdentity'),
        'fromClientId',
        identified(release, keys, clientId, '00000000-0000-0000-0000-000000000000'),
      )
    : call(mlflow('AzureIdentity'), 'ambient');
  return call(mlflow('AzureBlobCredentials'), 'fromIdentity', identity);
}

/** The id of an identity, or a stand-in for a placeholder. */
function identified(release: Release, keys: readonly string[], id: string, standIn: string): Code {
  if (!hasPlaceholder(id)) {
    return value(id);
  }
  release.note('to do', keys, `${id} is a placeholder: put the identity of the pods into the app.`);
  return value(standIn);
}
