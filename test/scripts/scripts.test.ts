import { scriptsNamed } from '../../lib/scripts/scripts';

test('a script brings the modules that it imports, and theirs', () => {
  expect(Object.keys(scriptsNamed('wait_for_database.py'))).toEqual([
    'database_errors.py',
    'init_container.py',
    'wait_for_database.py',
  ]);
});
