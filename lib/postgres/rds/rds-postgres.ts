import { isIP } from 'node:net';

import { Construct } from 'constructs';

import { checkRoute } from '../../kube/network/network-route';
import { text } from '../../kube/values/env-values';
import { checkImage, checkObjectName, checkSeconds } from '../../validation/checks';
import { checkConstruct } from '../../validation/arguments';
import { Problems } from '../../validation/problems';
import { checkEndpoint, endpointValues } from '../connection/endpoint';
import { checkMaxConnections } from '../connection/postgres-settings';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';

import type { RdsPostgresProps } from './rds-postgres-props';
import { REGION, regionOf, rdsSidecar } from './rds-sidecar';

/** A token is valid for 15 minutes, but no longer than the credentials behind it, which botocore renews 10 minutes before their end. */
const SLOWEST_RENEWAL_SECONDS = 600;

const ENCRYPTED = ['require', 'verify-ca', 'verify-full'];

/**
 * PostgreSQL on Amazon RDS or Aurora, with a login by IAM instead of a password.
 *
 * A sidecar in each pod that connects signs a token every 10 minutes and writes it into a file in memory, which libpq reads
 * at each connection. Open connections outlive their token. It needs Kubernetes 1.29 or later, where a Job ends although a
 * sidecar runs. A `serviceAccount` of your own needs the annotation `eks.amazonaws.com/role-arn`, or another way to its role:
 * the library cannot see it.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class RdsPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: RdsPostgresProps) {
    super(...checkConstruct('RdsPostgres', scope, id, props));
    const problems = new Problems(this);
    checkProps(problems, id, props);
    problems.throwIfAny();

    this.connection = new PostgresConnection({
      ...endpointValues(props),
      credentials: new PostgresCredentials({ username: text(props.user) }),
      tls: props.tls,
      readWriteOnly: (props.failoverHosts ?? []).length > 0,
      readHost: props.readHost === undefined ? undefined : text(props.readHost),
      maxConnections: props.maxConnections,
      route: props.route,
      readRoute: props.route,
      sidecar: rdsSidecar(this, props),
    });
  }
}

function checkProps(problems: Problems, id: string, props: RdsPostgresProps): void {
  checkObjectName(problems, 'id', id);
  checkEndpoint(problems, props);
  checkRegions(problems, props);
  props.identity?._check(problems, 'identity');
  props.tls._check(problems);
  if (!ENCRYPTED.includes(props.tls.mode)) {
    problems.add(
      'tls',
      'must encrypt, since RDS takes no token otherwise',
      props.tls.mode,
      'Use PostgresTls.verifyFull({ ca }), or PostgresTls.REQUIRE.',
    );
  }
  checkRenewal(problems, props);
  checkMaxConnections(problems, props.maxConnections);
  checkRoute(problems, 'route', props.route);
  checkImage(problems, 'image', props.image);
}

function checkRegions(problems: Problems, { host, failoverHosts = [], readHost, region }: RdsPostgresProps): void {
  if (region !== undefined && !new RegExp(`^${REGION}$`).test(region)) {
    problems.add('region', 'must be the name of a region, such as eu-west-1', region);
  }
  const hosts: [string, string | undefined][] = [
    ['host', host],
    ...failoverHosts.map((each, i): [string, string] => [`failoverHosts[${String(i)}]`, each]),
    ['readHost', readHost],
  ];
  for (const [prop, value] of hosts) {
    if (value === undefined) {
      continue;
    }
    const own = regionOf(value);
    if (isIP(value) !== 0 || (own === undefined && region === undefined)) {
      problems.add(
        prop,
        'must be an endpoint as RDS shows it, with its region (name.id.eu-west-1.rds.amazonaws.com)',
        value,
        'A token is valid for the host that it names, which cannot be an address or a DNS name of your own.',
      );
    } else if (own !== undefined && region !== undefined && own !== region) {
      problems.add('region', `must be that of \`${prop}\`, ${own}`, region, 'Leave it out: each name has its own.');
    }
  }
}

function checkRenewal(problems: Problems, { tokenRenewal }: RdsPostgresProps): void {
  checkSeconds(problems, 'tokenRenewal', tokenRenewal);
  const seconds = tokenRenewal?.toSeconds({ integral: false }) ?? 0;
  if (seconds > SLOWEST_RENEWAL_SECONDS) {
    problems.add(
      'tokenRenewal',
      'must be at most 10 minutes',
      `${String(seconds)} s`,
      'A token is valid for 15, and a renewal may need several tries.',
    );
  }
}
