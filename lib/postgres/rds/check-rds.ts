import { isIP } from 'node:net';

import { checkImage, checkObjectName, checkSeconds } from '../../validation/checks';
import { checkRoute } from '../../kube/network/network-route';
import type { Problems } from '../../validation/problems';
import { checkEndpoint } from '../connection/endpoint';
import { checkMaxConnections } from '../connection/postgres-settings';
import { checkLiteral } from '../connection/postgres-credentials';

import type { RdsPostgresProps } from './rds-postgres-props';

const REGION = '[a-z]{2,4}(?:-[a-z]+)+-\\d+';
// In China, the region comes after the service.
const REGION_OF_HOST = new RegExp(`\\.(${REGION})\\.rds\\.|\\.rds\\.(${REGION})\\.`);

/** A token is good for 15 minutes, but no longer than the credentials behind it, which botocore keeps good for 10 more at least. */
const SLOWEST_RENEWAL_SECONDS = 600;

const ENCRYPTED = ['require', 'verify-ca', 'verify-full'];

/** The region of an endpoint, by its name. */
export function regionOf(host: string): string | undefined {
  const [, before, after] = REGION_OF_HOST.exec(host) ?? [];
  return before ?? after;
}

/** What the props of a database at RDS must look like. */
export function checkRds(problems: Problems, id: string, props: RdsPostgresProps): void {
  checkObjectName(problems, 'id', id);
  checkEndpoint(problems, props);
  checkRegions(problems, props);
  checkLiteral(problems, 'user', props.user);
  props.identity?._check(problems);
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
    const own = value === undefined ? undefined : regionOf(value);
    if (value === undefined || value === '') {
      continue;
    }
    if (isIP(value) !== 0 || (own === undefined && region === undefined)) {
      problems.add(
        prop,
        'must be an endpoint as RDS shows it, with its region (name.id.eu-west-1.rds.amazonaws.com)',
        value,
        'A token is good for the host that it names, so that an address or a name of your own will not do.',
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
      'A token is good for 15, and a renewal may take several tries.',
    );
  }
}
