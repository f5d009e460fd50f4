from cdk8s import Chart
from cdk8s_mlflow import (
    AiGatewayOptions,
    DefaultPermission,
    EncryptionOptions,
    ExistingSecretPostgres,
    GatewayModelOptions,
    MlflowAuth,
    MlflowGatewayEndpoint,
    MlflowObjects,
    MlflowServer,
    NetworkPeer,
    NetworkRoute,
    SecretKey,
    ServerIsolationOptions,
)
from constructs import Construct


def key(name: str) -> SecretKey:
    return SecretKey.from_secret_name("mlflow-auth", name)


class AiGateway(Chart):
    """Two endpoints of the AI Gateway: a vLLM in the cluster, with OpenAI where that fails, and embeddings
    of OpenAI.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace="mlflow")

        server = MlflowServer(
            self,
            "mlflow",
            backend=ExistingSecretPostgres(
                self, "postgres", host="your-postgres-host", secret_name="mlflow-database"
            ),
            auth=MlflowAuth.basic(
                admin_password=key("admin-password"),
                flask_secret_key=key("flask-key"),
                # Whoever has a login may call endpoints.
                default_permission=DefaultPermission.USE,
            ),
            encryption=EncryptionOptions(passphrase=key("passphrase")),
            ai_gateway=AiGatewayOptions(
                allowed_providers=["openai"],
                # A vLLM, which has the API of this provider.
                allow_private_addresses=True,
                allow_http=True,
                upstreams=[
                    NetworkRoute(ports=[443]),
                    NetworkRoute(peers=[NetworkPeer.pods_of("models", {"app": "vllm"})], ports=[8000]),
                ],
            ),
            isolation=ServerIsolationOptions(),
        )

        objects = MlflowObjects(self, "mlflow-objects", server=server)

        def openai(model_name: str) -> GatewayModelOptions:
            return GatewayModelOptions(provider="openai", model_name=model_name, api_key=key("openai-key"))

        vllm = GatewayModelOptions(
            provider="openai",
            model_name="meta-llama/Llama-3.1-8B-Instruct",
            api_key=key("vllm-key"),
            api_base="http://vllm.models.svc:8000/v1",
        )
        MlflowGatewayEndpoint(self, "chat", objects=objects, models=[vllm, openai("gpt-4o-mini")])
        MlflowGatewayEndpoint(
            self,
            "embeddings",
            objects=objects,
            models=[openai("text-embedding-3-small")],
            usage_tracking=False,
        )
