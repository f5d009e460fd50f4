import type { PodPart } from '../../kube/pod/pod-part';
import { text, texts } from '../../kube/values/env-values';
import { mlflow3MinorOf } from '../../validation/image';
import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { checkRedis, type RedisOptions, routesToRedis } from './redis-options';

/** Minor version of MLflow 3. Older ones ignore the variable. */
const FIRST_WITH_REDIS = 16;

/** The variable that limits the jobs of a type, for each type of MLflow 3.18 that has one (`@job(max_workers=…)`). */
const JOBS_PER_TYPE = [
  // Issue detection, evaluation, a scorer.
  ...['JUDGE_INVOKE', 'JUDGE_INVOKE', 'JUDGE_INVOKE'],
  // Scorers of new traces and of sessions.
  ...['ONLINE_SCORING', 'ONLINE_SCORING'],
  'SCHEDULED_ISSUE_DETECTION',
].map((type) => `MLFLOW_SERVER_${type}_MAX_WORKERS`);

/** Jobs of a type that has no variable: optimizations of prompts. */
const OTHER_JOBS = 2;

const ENGINE = 'MLFLOW_SERVER_JOB_EXECUTION_ENGINE';

/** The Redis that holds the queue of jobs. The image needs the package redis, which MLflow's images do not have. */
export interface RedisJobOptions extends RedisOptions, LocalJobOptions {
  /**
   * Whether the server also schedules what MLflow does periodically (scorers of new traces, archival of traces). One pod on a
   * Redis should: with several replicas, set it to false, and run a second server of one pod on the same backend and Redis.
   * @default true
   */
  readonly periodicTasks?: boolean;
}

/** The jobs of a pod. */
export interface LocalJobOptions {
  /**
   * Jobs of each type that may run at the same time in a pod. MLflow 3.18 has six such types, and up to two optimizations of prompts
   * besides: with 2, up to 14 jobs. Each is a process of about 210 MiB with a connection: the default memory and the check of
   * connections count all of them.
   * @default 1 - MLflow's own default is 10, and 5 for those that nobody waits for
   */
  readonly jobsPerType?: number;
}

/** How a server runs jobs: evaluations, scorers, archival of traces. */
export class JobExecution {
  /**
   * The queue is on the disk of the pod: for a server of one pod.
   *
   * @param options how many jobs run at the same time
   */
  public static local(options: LocalJobOptions = {}): JobExecution {
    return new JobExecution(options);
  }

  /**
   * The queue is in a Redis, so that each pod runs jobs of all. It needs MLflow 3.16 or later in the image.
   *
   * @param options the Redis
   */
  public static redis(options: RedisJobOptions): JobExecution {
    return new JobExecution(options, options);
  }

  private constructor(
    private readonly options: LocalJobOptions,
    private readonly inRedis?: RedisJobOptions,
  ) {}

  /** The most jobs that run at the same time in a pod. @internal */
  public get _jobs(): number {
    return (Number.isInteger(this.jobsPerType) ? this.jobsPerType : 0) * JOBS_PER_TYPE.length + OTHER_JOBS;
  }

  private get jobsPerType(): number {
    return this.options.jobsPerType ?? 1;
  }

  /** Why a server with several pods cannot have it, if it cannot. @internal */
  public get _onePod(): { readonly prop: string; readonly reason: string; readonly wayOut: string } | undefined {
    if (this.inRedis === undefined) {
      return {
        prop: 'jobExecution',
        reason: 'each pod has a queue and a scheduler of its own',
        wayOut: 'Use JobExecution.redis() for a shared queue, or execute the jobs in a second server of one pod.',
      };
    }
    return (this.inRedis.periodicTasks ?? true)
      ? {
          prop: 'jobExecution.periodicTasks',
          reason: 'each pod schedules them',
          wayOut:
            'Set `periodicTasks: false`, and let a second server of one pod on the same backend and Redis schedule them.',
        }
      : undefined;
  }

  /** The part of the server's container. @internal */
  public _part(): PodPart {
    const { inRedis } = this;
    const limits = new Set(JOBS_PER_TYPE);
    return {
      of: 'jobExecution',
      envVariables: {
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: text(true),
        ...texts(Object.fromEntries([...limits].map((limit) => [limit, this.jobsPerType]))),
        ...(inRedis && { MLFLOW_SERVER_JOB_HUEY_REDIS_URL: inRedis.url._value() }),
        ...(inRedis?.periodicTasks !== undefined &&
          texts({ MLFLOW_SERVER_JOB_ENABLE_PERIODIC_TASKS: inRedis.periodicTasks })),
      },
      routes: routesToRedis(inRedis),
    };
  }

  /** @internal */
  public _check(problems: Problems, image: string): void {
    checkRedis(problems, 'jobExecution', this.inRedis);
    checkWhole(problems, 'jobExecution.jobsPerType', this.options.jobsPerType, { least: 1, most: 100 });
    const minor = mlflow3MinorOf(image) ?? Infinity;
    if (this.inRedis !== undefined && minor < FIRST_WITH_REDIS) {
      problems.say(
        `\`jobExecution\` must not be JobExecution.redis() with MLflow 3.${String(minor)}, which would keep a queue in each pod.`,
        `Use MLflow 3.${String(FIRST_WITH_REDIS)} or later.`,
      );
    }
  }
}

/** The server's container without job execution, which MLflow has on by default. */
export const NO_JOBS: PodPart = {
  of: 'jobExecution',
  envVariables: texts({ MLFLOW_SERVER_ENABLE_JOB_EXECUTION: false }),
};

/** Refuses the engine of one pod where there may be two, for which MLflow has no coordination yet. */
export function checkJobEngine(
  problems: Problems,
  { maxReplicas, rolls, extraEnvVars }: { maxReplicas: number; rolls: boolean; extraEnvVars: Record<string, unknown> },
): void {
  if (ENGINE in extraEnvVars && (maxReplicas > 1 || rolls)) {
    problems.say(
      `\`extraEnvVars.${ENGINE}\` must be left out ${maxReplicas > 1 ? `with ${String(maxReplicas)} pods` : 'where a rolling update has two pods'}: this engine is for one pod.`,
      'Leave it out, or use one replica with UpgradeStrategy.RECREATE.',
    );
  }
}
