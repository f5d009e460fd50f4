/** The port that a pod answers on: MLflow, or the proxy in front of it. */
export const SERVER_PORT = 5000;

/** The port of MLflow behind a proxy in its pod, on the loopback address. */
export const PROXIED_PORT = 5001;
