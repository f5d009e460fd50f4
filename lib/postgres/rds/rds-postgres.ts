import { isIP } from 'node:net';

import { Construct } from 'constructs';

import { problemsOf } from '../../kube/construct';
import { checkContainer } from '../../kube/pod/pod-options';
import { text } from '../../kube/values/env-values';
import { checkObjectName, checkSeconds } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { checkEndpoint, endpointConnection } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import type { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';

import type { RdsPostgresProps } from './rds-postgres-props';
import { REGION, regionOf, rdsSidecar } from './rds-sidecar';

/** A token is valid for 15 minutes, but no longer than the credentials that signed it, which botocore renews 10 minutes before they expire. */
const SLOWEST_RENEWAL_SECONDS = 600;

const ENCRYPTED = ['require', 'verify-ca', 'verify-full'];

/**
 * PostgreSQL on Amazon RDS or Aurora, with a login by IAM instead of a password.
 *
 * A native sidecar of every pod that connects signs a token every 10 minutes and writes it into a file in memory, which libpq reads
 * at each connection. Open connections outlive their token. Native sidecars need Kubernetes 1.29 or later: there, a Job ends
 * although its sidecar runs. A `serviceAccount` of your own needs the annotation `eks.amazonaws.com/role-arn`, or gets its role by
 * other means; the library cannot check that.
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
 */
export class RdsPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, id: string, props: RdsPostgresProps) {
    super(...checkConstruct('RdsPostgres', scope, id, props));
    const problems = problemsOf(this);
    checkProps(problems, id, props);
    problems.throwIfAny();

    this.connection = endpointConnection(props, {
      credentials: new PostgresCredentials({ username: text(props.user) }),
      sidecar: rdsSidecar(this, props),
    });
  }
}

function checkProps(problems: Problems, id: string, props: RdsPostgresProps): void {
  checkObjectName(problems, 'id', id, 63);
  checkEndpoint(problems, props);
  checkRegions(problems, props);
  props.identity?._check(problems, 'identity');
  if (!ENCRYPTED.includes(props.tls.mode)) {
    problems.add(
      'tls',
      'must encrypt, since RDS accepts no token otherwise',
      props.tls.mode,
      'Use PostgresTls.verifyFull({ ca }), or PostgresTls.REQUIRE.',
    );
  }
  const { host, failoverHosts = [], readHost = host } = props;
  if (props.tls._usesSystemCa && ![host, ...failoverHosts, readHost].every((each) => each.includes('.proxy-'))) {
    problems.say(
      '`tls` must have a `ca`: no system trusts the CAs of RDS, except that of RDS Proxy.',
      'Use PostgresTls.verifyFull({ ca }) with the CA bundle of your region.',
    );
  }
  checkRenewal(problems, props);
  checkContainer(problems, props);
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
