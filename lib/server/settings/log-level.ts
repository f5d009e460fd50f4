/** The script that configures uvicorn's log: text as MLflow writes it, or JSON, as LOG_FORMAT says. */
export const LOG_CONFIG = 'uvicorn_log.json';

/** Log level of MLflow and uvicorn. */
export enum LogLevel {
  /** Everything, for debugging. */
  DEBUG = 'debug',
  /** Requests and events. */
  INFO = 'info',
  /** Events that may need attention. */
  WARNING = 'warning',
  /** Failures. */
  ERROR = 'error',
  /** Failures that stop the server. */
  CRITICAL = 'critical',
}
