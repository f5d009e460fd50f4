/** How much the server logs: MLflow's and uvicorn's levels. */
export enum LogLevel {
  /** Everything, for debugging. */
  DEBUG = 'debug',
  /** Requests and events. */
  INFO = 'info',
  /** What may need attention. */
  WARNING = 'warning',
  /** What failed. */
  ERROR = 'error',
  /** What ended the server. */
  CRITICAL = 'critical',
}
