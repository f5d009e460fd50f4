import { Testing } from 'cdk8s';
import { FileStoreImport, type FileStoreImportProps, FileStoreRepair, FileStoreSource } from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only } from '../../support/synth';

function manifests(source: FileStoreSource, props: Partial<FileStoreImportProps> = {}): Manifest[] {
  const scope = chart();
  new FileStoreImport(scope, 'import', { backend: anyBackend(scope), source, ...props });
  return Testing.synth(scope);
}

const podOf = (...args: Parameters<typeof manifests>): Manifest => only(manifests(...args), 'Job').spec.template.spec;

test('the folder is mounted read-only, and its experiments get new ids', () => {
  const pod = podOf(FileStoreSource.fromClaim('old-mlflow'));
  const container = containerOf(pod, 'import-file-store');
  expect(container.command).toEqual(['python', '/opt/mlflow/scripts/import_file_store.py']);
  expect(env(container)).toMatchObject({
    IMPORT_SOURCE: '/source/mlruns',
    PYTHONUTF8: '1',
    IMPORT_FOLDER: '/copy',
    IMPORT_REPAIRS: 'renumber-experiments',
    PGAPPNAME: 'file-store-import',
  });
  expect(container.volumeMounts).toContainEqual({ mountPath: '/source', name: 'source', readOnly: true });
  expect(pod.volumes).toContainEqual({
    name: 'source',
    persistentVolumeClaim: { claimName: 'old-mlflow', readOnly: false },
  });
});

test('further repairs', () => {
  const repairs = [FileStoreRepair.REPLACE_NUL, FileStoreRepair.DROP_ORPHANS];
  const pod = podOf(FileStoreSource.fromClaim('old-mlflow', 'data/mlruns'), { repairs });
  expect(env(containerOf(pod, 'import-file-store'))).toMatchObject({
    IMPORT_SOURCE: '/source/data/mlruns',
    IMPORT_REPAIRS: 'drop-orphans,renumber-experiments,replace-nul',
  });
});

test('what cannot be is an error', () => {
  expect(() => manifests(FileStoreSource.fromClaim('Old', '/mlruns'))).toThrow(
    new Error(
      [
        '[chart/import] `source.claimName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Old".',
        '[chart/import] `source.path` must be the path of a folder on the volume, without a leading slash, got "/mlruns". Write `mlruns` or `folder/mlruns`.',
      ].join('\n'),
    ),
  );
});
