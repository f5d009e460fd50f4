import { Chart, Duration } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, PoolingProfile, type PoolingProfileProps } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A profile of your own: a subclass with your house's rules in it. */
class BehindFirewall extends PoolingProfile {
  public constructor(props: PoolingProfileProps = {}) {
    // The firewall forgets connections after ten minutes without traffic.
    super({ poolSize: 20, maxOverflow: 1, recycle: Duration.minutes(9), ...props });
  }
}

/**
 * Pooling profiles beyond the presets: written out, derived from a preset, or a class. A server each, to compare them: they show the
 * same runs, since they share a database, but each keeps artifacts on a volume of its own.
 */
export class CustomPooling extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const backend = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: 'postgres-database-secret',
    });
    const profiles: Record<string, PoolingProfile> = {
      'written-out': new PoolingProfile({ poolSize: 15, maxOverflow: 1 }),
      fitting: PoolingProfile.fitting({ connections: 97, pods: 3 }),
      derived: PoolingProfile.STANDARD.extend({ echo: true }),
      subclass: new BehindFirewall(),
    };
    for (const [name, pooling] of Object.entries(profiles)) {
      new MlflowServer(this, `mlflow-${name}`, { backend, pooling });
    }
  }
}
