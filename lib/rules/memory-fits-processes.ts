import type { Construct } from 'constructs';

import { counted } from '../validation/checks';
import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** Memory of the processes of a server in MiB, from docs/measurements.md, section "Memory of a pod". */
const MEMORY = {
  /** The process that starts the workers, with what all processes share. */
  base: 290,
  worker: 260,
  /** The job runner and its consumers while no job runs. */
  jobRunner: 1310,
  /** One running job, a process of its own. */
  job: 210,
};

/** The processes of a pod. */
export interface ServerProcesses {
  readonly workers: number;
  /** Jobs that may run at the same time; 0 without a job runner. */
  readonly jobs: number;
}

/** Memory in MiB that the processes of a pod use together. */
export function memoryOf({ workers, jobs }: ServerProcesses): number {
  return MEMORY.base + workers * MEMORY.worker + (jobs === 0 ? 0 : MEMORY.jobRunner + jobs * MEMORY.job);
}

/** A server and the memory limit of its container, in MiB. */
interface ServerMemory extends RuleSubject, ServerProcesses {
  readonly limit: number;
}

export const MEMORY_FITS_PROCESSES: Rule<ServerMemory> = {
  id: 'memory-fits-processes',
  description: 'The memory limit of a server is enough for its workers and, with `jobExecution`, its jobs.',
  validate: (server) => {
    const { limit, workers, jobs } = server;
    const memory = memoryOf(server);
    if (limit >= memory) {
      return [];
    }
    const processes = `${counted(workers, 'worker')}${jobs > 0 ? ` and ${counted(jobs, 'job')}` : ''}`;
    const most = Math.floor((limit - memoryOf({ workers: 0, jobs })) / MEMORY.worker);
    const fewer = most < 1 ? '' : ` The most \`workers\` that fit are ${String(most)}.`;
    return [
      [
        `\`resources.memory.limit\` must be at least ${String(memory)} MiB for ${processes}, got ${String(limit)} MiB: the kernel ends processes above the limit.`,
        `Raise it, lower \`workers\`${jobs > 0 ? ' or `jobExecution.jobsPerType`, or leave out `jobExecution`' : ''}.${fewer}`,
      ].join(' '),
    ];
  },
};

/** Adds the rule to a server with a memory limit in MiB. */
export function addMemoryRule(server: Construct, processes: ServerProcesses, limit: number | undefined): void {
  if (limit !== undefined) {
    addRule(server, MEMORY_FITS_PROCESSES, { ...processes, limit, constructs: [server] });
  }
}
