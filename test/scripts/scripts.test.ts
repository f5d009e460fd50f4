import { Testing } from 'cdk8s';

import { contentDigest } from '../../lib/kube/values/digest';
import { labelsOf } from '../../lib/kube/pod/labels';
import { ScriptFiles, scriptsNamed } from '../../lib/scripts/scripts';
import { chart, only } from '../support/synth';

test('the ConfigMap of scripts is named by their content', () => {
  const scope = chart();
  ScriptFiles.named('probe_server.py').mount(scope, labelsOf('mlflow', 'it', 'it'));
  const { metadata, data } = only(Testing.synth(scope), 'ConfigMap');
  const changed = { ...data, 'probe_server.py': `${data['probe_server.py'] as string}\n` };
  expect(metadata.name).toBe(`${scope.node.id}-scripts-${contentDigest(data)}`);
  expect(metadata.name).not.toBe(`${scope.node.id}-scripts-${contentDigest(changed)}`);
});

test('a script brings the modules that it imports, and theirs', () => {
  expect(Object.keys(scriptsNamed('wait_for_database.py'))).toEqual([
    'database_check.py',
    'database_errors.py',
    'exit_codes.py',
    'init_container.py',
    'log_format.py',
    'wait_for_database.py',
  ]);
});
