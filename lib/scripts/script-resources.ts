import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

/**
 * Default CPU and memory of a container that runs a script of the library, with MLflow's image or PostgreSQL's tools: at least
 * twice of what docs/measurements.md has, and little enough for the LimitRange of a shared cluster.
 */
export const SCRIPT_RESOURCES = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(256), limit: Size.mebibytes(512) },
} satisfies kplus.ContainerResources;
