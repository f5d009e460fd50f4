import { Chart } from 'cdk8s';
import {
  DefaultPermission,
  ExistingSecretPostgres,
  MlflowAuth,
  MlflowGatewayEndpoint,
  MlflowObjects,
  MlflowServer,
  NetworkPeer,
  SecretKey,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

const key = (name: string): SecretKey => SecretKey.fromSecretName('mlflow-auth', name);

/** Two endpoints of the AI Gateway: a vLLM in the cluster, with OpenAI where that fails, and embeddings of OpenAI. */
export class AiGateway extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'mlflow-database',
      }),
      auth: MlflowAuth.basic({
        adminPassword: key('admin-password'),
        flaskSecretKey: key('flask-key'),
        // Whoever has a login may call endpoints.
        defaultPermission: DefaultPermission.USE,
      }),
      encryption: { passphrase: key('passphrase') },
      aiGateway: {
        allowedProviders: ['openai'],
        // A vLLM, which has the API of this provider.
        allowPrivateAddresses: true,
        allowHttp: true,
        upstreams: [{ ports: [443] }, { peers: [NetworkPeer.podsOf('models', { app: 'vllm' })], ports: [8000] }],
      },
      isolation: {},
    });

    const objects = new MlflowObjects(this, 'mlflow-objects', { server });
    const vllm = { provider: 'openai', apiKey: key('vllm-key'), apiBase: 'http://vllm.models.svc:8000/v1' };
    const openai = { provider: 'openai', apiKey: key('openai-key') };
    new MlflowGatewayEndpoint(this, 'chat', {
      objects,
      models: [
        { ...vllm, modelName: 'meta-llama/Llama-3.1-8B-Instruct' },
        { ...openai, modelName: 'gpt-4o-mini' },
      ],
    });
    const models = [{ ...openai, modelName: 'text-embedding-3-small' }];
    new MlflowGatewayEndpoint(this, 'embeddings', { objects, models, usageTracking: false });
  }
}
