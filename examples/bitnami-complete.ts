import { Chart, Size } from 'cdk8s';
import { BitnamiArchitecture, BitnamiPasswords, BitnamiPostgres, MlflowServer, Persistence } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** The guide's "Complete Bitnami PostgreSQL Setup": a role of its own for MLflow, and each setting written out. */
export class BitnamiComplete extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new BitnamiPostgres(this, 'postgres', {
      architecture: BitnamiArchitecture.standalone(),
      servicePort: 5432,
      persistence: Persistence.newClaim({ size: Size.gibibytes(10) }),
      username: 'mlflowuser',
      passwords: BitnamiPasswords.fromLiterals({ password: 'Pa33w0rd!' }),
      database: 'mlflow',
      settings: { shared_buffers: '128MB', log_min_duration_statement: '500ms' },
      initScripts: { '10-report-role.sql': 'CREATE ROLE report NOLOGIN;\nGRANT pg_read_all_data TO report;\n' },
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
