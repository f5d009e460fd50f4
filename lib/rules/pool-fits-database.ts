import type { Construct } from 'constructs';

import { PoolingProfile } from '../postgres/pooling-profile';
import type { IPostgresBackend } from '../postgres/postgres-backend';

/** The id of the rule, for those who acknowledge it. */
export const POOL_FITS_DATABASE = 'pool-fits-database';

/** PostgreSQL keeps these for superusers (superuser_reserved_connections). */
const RESERVED = 3;

/** The most connections that a server opens, by factor. */
export interface ConnectionDemand {
  readonly server: Construct;
  /** Pods at the most, the one that a rolling update adds included. */
  readonly pods: number;
  readonly workers: number;
  readonly connectionsOfPod: number;
  readonly isAcknowledged: () => boolean;
}

const DEMANDS = new WeakMap<IPostgresBackend, ConnectionDemand[]>();

/** Rule: the pods of all servers on a backend open no more connections together than it takes. */
export function addPoolRule(backend: IPostgresBackend, demand: ConnectionDemand): void {
  const demands = DEMANDS.get(backend) ?? [];
  DEMANDS.set(backend, [...demands, demand]);
  const { maxConnections } = backend.connection;
  if (maxConnections === undefined) {
    return;
  }
  demand.server.node.addValidation({
    validate: () => {
      const all = DEMANDS.get(backend) ?? [];
      const isLast = all[all.length - 1] === demand;
      return isLast && !all.some((each) => each.isAcknowledged())
        ? violations(backend, maxConnections - RESERVED, all)
        : [];
    },
  });
}

function violations(backend: IPostgresBackend, offered: number, demands: ConnectionDemand[]): string[] {
  const total = demands.reduce((sum, demand) => sum + demand.pods * demand.connectionsOfPod, 0);
  if (total <= offered) {
    return [];
  }
  const factors = demands.map(({ server, pods, workers, connectionsOfPod }) => {
    const factor = `${counted(pods, 'pod')} x ${String(connectionsOfPod)} with ${counted(workers, 'worker')}`;
    return demands.length === 1 ? factor : `${server.node.id}: ${factor}`;
  });
  return [
    [
      `up to ${String(total)} connections (${factors.join('; ')}) exceed the ${String(offered)} that "${backend.node.id}" offers.`,
      'Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between.',
      ...largestThatFits(offered, demands),
    ].join(' '),
  ];
}

function largestThatFits(offered: number, demands: ConnectionDemand[]): string[] {
  const pods = demands.reduce((sum, demand) => sum + demand.pods, 0);
  const workers = Math.max(...demands.map((demand) => demand.workers));
  // The smallest pool of all is one connection kept and one on demand, in two engines of each worker.
  if (pods * (2 + workers * 3) > offered) {
    return [];
  }
  const { poolSize, maxOverflow } = PoolingProfile.fitting({ connections: offered, pods, workers });
  return [`The largest pool that fits is ${String(poolSize)} + ${String(maxOverflow)}.`];
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}
