import { App, Chart } from 'cdk8s';
import { ExternalPostgres } from 'cdk8s-mlflow';

// Prints the message of the error that an empty host is.
const chart = new Chart(new App(), 'mlflow');
try {
  new ExternalPostgres(chart, 'postgres', { host: '', user: 'mlflow', password: 'secret' });
} catch (error) {
  console.log((error as Error).message);
}
