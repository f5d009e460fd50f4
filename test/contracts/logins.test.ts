import type { MlflowServerProps } from 'cdk8s-mlflow';
import { SecretKey } from 'cdk8s-mlflow';

import { edges } from '../support/edges';
import { env, type Manifest, only, podOf, serverManifests } from '../support/synth';

import { LOGINS } from './registered';

const encryption = { passphrase: SecretKey.fromSecretName('auth', 'passphrase') };
const SECRET_NAME = /(PASSWORD|PASSPHRASE|SECRET)(?!_FILE$)/;

describe.each(Object.entries(LOGINS))('MlflowAuth.%s', (_, newAuth) => {
  const synth = (props: Partial<MlflowServerProps> = {}): Manifest[] =>
    serverManifests({ auth: newAuth(), encryption, ...props });
  const containers = (manifests: Manifest[]): Manifest[] => {
    const { initContainers, containers: all } = podOf(manifests);
    return [...initContainers, ...all];
  };

  test('has every secret from a Secret', () => {
    const variables = containers(synth()).flatMap((each) => Object.entries<Manifest>(env(each)));
    const secrets = variables.filter(([name]) => SECRET_NAME.test(name));
    // Those of the database and of the encryption are there without a login.
    const without = containers(serverManifests()).flatMap((each) => Object.keys(env(each)));
    const ofLogin = secrets.filter(([name]) => !without.includes(name) && !name.includes('PASSPHRASE'));
    expect(ofLogin.length).toBeGreaterThan(0);
    for (const [, value] of secrets) {
      expect(value).toEqual({ secretKeyRef: { name: expect.any(String), key: expect.any(String) } });
    }
  });

  test('is behind the same Service and port, on which one container listens', () => {
    expect(only(synth(), 'Service').spec).toEqual(only(serverManifests(), 'Service').spec);
    const listening = containers(synth()).flatMap(({ ports = [] }) => ports);
    expect(listening).toEqual([{ name: 'http', containerPort: 5000 }]);
  });

  test('asks no probe to log in', () => {
    const probes: Manifest[] = containers(synth()).flatMap(({ livenessProbe, readinessProbe, startupProbe }) =>
      [livenessProbe, readinessProbe, startupProbe].filter(Boolean),
    );
    const asked = probes.map(({ httpGet, exec }) => httpGet?.path ?? exec.command.at(-1));
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.filter((each) => !/^\/(health|ping|ready)$|health$/.test(each))).toEqual([]);
  });

  test('keeps to the restricted Pod Security Standard, with requests and limits', () => {
    for (const { securityContext, resources } of containers(synth())) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
      expect(Object.keys(resources.limits)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    }
  });

  test('leaves an isolated server all that it reaches', () => {
    const ways = (props: Partial<MlflowServerProps>): string[] =>
      edges(serverManifests({ isolation: {}, ...props }), 'mlflow');
    expect(ways({ auth: newAuth(), encryption })).toEqual(expect.arrayContaining(ways({})));
  });
});
