import { App, Chart } from 'cdk8s';
import { BitnamiPasswords, BitnamiPostgres, MlflowServer } from 'cdk8s-mlflow';

const app = new App();
const chart = new Chart(app, 'mlflow');
const postgres = new BitnamiPostgres(chart, 'postgres', {
  passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'mlflow_password' }),
});
new MlflowServer(chart, 'mlflow', { backend: postgres });
app.synth();
