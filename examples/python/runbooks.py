from pathlib import Path

from cdk8s import App
from cdk8s_mlflow import MlflowServer


def write_runbooks(app: App) -> None:
    """Writes, beside the YAML of each chart, how to verify its servers and what to do when something
    is wrong.
    """
    # In a Helm chart (`cdk8s synth --format helm`), Helm takes each file of the folder `templates`
    # for a manifest.
    outdir = Path(app.outdir)
    folder = outdir.parent if outdir.name == "templates" else outdir
    for chart in app.charts:
        servers = [each for each in chart.node.find_all() if MlflowServer.is_mlflow_server(each)]
        if servers:
            text = "\n".join(server.runbook() for server in servers)
            (folder / f"{chart.node.id}.runbook.md").write_text(text)
