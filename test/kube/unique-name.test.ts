import { ApiObject, App, Chart, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  ExternalPostgres,
  ExternalSecret,
  PostgresCredentials,
  Rules,
  SecretStoreReference,
} from 'cdk8s-mlflow';
import { Construct } from 'constructs';

import { problemsOf } from '../../lib/kube/construct';
import { mountConfigFiles } from '../../lib/kube/pod/config-files';
import { labelsOf } from '../../lib/kube/pod/labels';
import { contentDigest } from '../../lib/kube/values/digest';
import { anyBackend, server } from '../support/synth';

function appWith(make: (chart: (id: string, namespace?: string) => Chart) => void): () => void {
  const app = new App({ outdir: Testing.app().outdir });
  make((id, namespace) => new Chart(app, id, { namespace }));
  return () => {
    app.synth();
  };
}

function refused(...texts: string[]): Error {
  return new Error(`Validation failed with the following errors:${texts.map((text) => `\n  ${text}`).join('')}`);
}

const HINT = 'One would replace the other. Give one of them another id, or its chart a namespace of its own.';
const external = { host: 'db', user: 'u', password: 'p' };

test('two backends of one id in one namespace are an error: one Secret would replace the other', () => {
  const synth = appWith((chart) => {
    new ExternalPostgres(chart('a', 'ml'), 'postgres', external);
    new ExternalPostgres(chart('b', 'ml'), 'postgres', external);
    new ExternalPostgres(chart('c', 'other'), 'postgres', external);
  });
  expect(synth).toThrow(
    refused(
      `[b/postgres] unique-name: names must be unique in the namespace "ml": a/postgres makes "postgres" (Secret), too. ${HINT}`,
    ),
  );
});

test('a server and a database of one name are an error, which names all that they share', () => {
  const synth = appWith((chart) => {
    server(chart('a', 'ml'));
    const passwords = BitnamiPasswords.fromLiterals({ postgresPassword: 'p' });
    new BitnamiPostgres(chart('b', 'ml'), 'mlflow', { passwords });
  });
  expect(synth).toThrow(
    refused(
      `[b/mlflow] unique-name: names must be unique in the namespace "ml": a/mlflow makes "mlflow" (ServiceAccount, Service), too. ${HINT}`,
    ),
  );
});

test('charts without a namespace are one', () => {
  const synth = appWith((chart) => {
    new ExternalPostgres(chart('a'), 'postgres', external);
    new ExternalPostgres(chart('b'), 'postgres', external);
  });
  expect(synth).toThrow(
    refused(
      `[b/postgres] unique-name: names must be unique in all charts without a namespace: a/postgres makes "postgres" (Secret), too. ${HINT}`,
    ),
  );
});

test('three of one name are an error for the second and for the third', () => {
  const synth = appWith((chart) => {
    ['a', 'b', 'c'].forEach((id) => new ExternalPostgres(chart(id), 'postgres', external));
  });
  const text = `unique-name: names must be unique in all charts without a namespace: a/postgres makes "postgres" (Secret), too. ${HINT}`;
  expect(synth).toThrow(refused(`[b/postgres] ${text}`, `[c/postgres] ${text}`));
});

class Team extends Construct {
  public constructor(scope: Construct, id: string) {
    super(scope, id);
    new kplus.ConfigMap(this, 'settings', { metadata: { name: 'settings' } });
    new ApiObject(this, 'raw', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'raw' } });
    PostgresCredentials.fromLiterals(this, { username: 'u', password: 'p' });
  }
}

test("objects of the user's own constructs count, with and without a construct of the library", () => {
  const synth = appWith((chart) => {
    const [a, b] = [chart('a'), chart('b')];
    anyBackend(a);
    new Team(a, 'team');
    new Team(b, 'team');
    new kplus.Secret(b, 'secret', { metadata: { name: 'team' } });
  });
  const among = 'unique-name: names must be unique in all charts without a namespace:';
  expect(synth).toThrow(
    refused(
      `[b/team/settings] ${among} a/team/settings makes "settings" (ConfigMap), too. ${HINT}`,
      `[b/team/raw] ${among} a/team/raw makes "raw" (Secret), too. ${HINT}`,
      `[b/team/secret] ${among} a/team/secret makes "team" (Secret), too. ${HINT}`,
      `[b/secret] ${among} a/team/secret makes "team" (Secret), too. ${HINT}`,
    ),
  );
});

test('what one construct of the library and its user make below it is named by the objects', () => {
  const synth = appWith((chart) => {
    const it = server(chart('a'));
    new kplus.ConfigMap(it, 'mine', { metadata: { name: 'x' } });
    new kplus.ConfigMap(it, 'other', { metadata: { name: 'x' } });
  });
  expect(synth).toThrow(
    refused(
      `[a/mlflow/other/Resource] unique-name: names must be unique in all charts without a namespace: a/mlflow/mine/Resource makes "x" (ConfigMap), too. ${HINT}`,
    ),
  );
});

test('what an operator makes of an object counts', () => {
  const synth = appWith((chart) => {
    const store = SecretStoreReference.fromSecretStoreName('vault');
    new ExternalSecret(chart('a'), 'postgres', { store, keys: { password: { key: 'db' } } });
    new ExternalPostgres(chart('b'), 'postgres', external);
  });
  expect(synth).toThrow(
    refused(
      `[b/postgres] unique-name: names must be unique in all charts without a namespace: a/postgres makes "postgres" (Secret), too. ${HINT}`,
    ),
  );
});

test('one name for objects of several kinds, groups and namespaces is none', () => {
  const synth = appWith((chart) => {
    const [a, b] = [chart('a', 'a'), chart('b', 'b')];
    server(a);
    server(b);
    new ApiObject(a, 'other-group', {
      apiVersion: 'serving.example.com/v1',
      kind: 'Service',
      metadata: { name: 'mlflow' },
    });
    new kplus.Secret(a, 'elsewhere', { metadata: { name: 'mlflow', namespace: 'c' } });
    new kplus.Secret(a, 'here', { metadata: { name: 'mlflow' } });
  });
  expect(synth).not.toThrow();
});

describe('objects that are named by their content', () => {
  /** A ConfigMap in each of two charts. */
  const files = (...ids: string[]): (() => void) =>
    appWith((chart) => {
      ids.forEach((id, i) => {
        const scope = new Construct(chart(String(i)), id);
        problemsOf(scope);
        mountConfigFiles(scope, 'config', labelsOf('it', id, 'it'), {
          name: `${id}-config`,
          volumeName: 'config',
          path: '/etc/it',
          data: { 'it.ini': () => 'a = 1' },
        });
      });
    });

  test('of one name are an error, as all others are', () => {
    const name = `it-config-${contentDigest({ 'it.ini': 'a = 1' })}`;
    expect(files('it', 'it')).toThrow(
      refused(
        `[1/it] unique-name: names must be unique in all charts without a namespace: 0/it makes "${name}" (ConfigMap), too. ${HINT}`,
      ),
    );
  });

  test('have other names for other ids', () => {
    expect(files('it', 'other')).not.toThrow();
  });

  test('and are shared by a chart have other names in other charts', () => {
    const synth = appWith((chart) => {
      ['0', '1'].map((id) => server(chart(id), {}, `mlflow-${id}`));
    });
    expect(synth).not.toThrow();
  });
});

test('charts for different clusters may acknowledge it, each pair by itself', () => {
  const charts = (reason?: string): (() => void) =>
    appWith((chart) => {
      const [east, west, south] = [chart('east', 'ml'), chart('west', 'ml'), chart('south', 'ml')];
      [east, west, south].forEach((each) => new ExternalPostgres(each, 'postgres', external));
      if (reason !== undefined) {
        Rules.of(west).acknowledge('unique-name', reason);
      }
    });
  const text = `unique-name: names must be unique in the namespace "ml": east/postgres makes "postgres" (Secret), too. ${HINT}`;
  expect(charts()).toThrow(refused(`[west/postgres] ${text}`, `[south/postgres] ${text}`));
  expect(charts('It is applied to a cluster of its own.')).toThrow(refused(`[south/postgres] ${text}`));
});

test('a second synthesis sees what has changed since', () => {
  const app = new App({ outdir: Testing.app().outdir });
  const chart = new Chart(app, 'a');
  new ExternalPostgres(chart, 'postgres', external);
  const more = new kplus.Secret(chart, 'more', { metadata: { name: 'postgres' } });
  expect(() => app.synthYaml()).toThrow(/^Validation failed with the following errors:\n {2}\[a\/more\] unique-name: /);
  chart.node.tryRemoveChild(more.node.id);
  expect(() => app.synthYaml()).not.toThrow();
});

test('an app alone is no place for a construct', () => {
  expect(() => new ExternalPostgres(Testing.app(), 'postgres', external)).toThrow(
    new Error('[postgres] `scope` must be a Chart, or a construct in one. Make one: new Chart(app, id).'),
  );
});
