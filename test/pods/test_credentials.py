"""Logins of every character that a key of a Secret can hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Namespace
from tracking import check_everything, client_of, log_everything

ASCII = "".join(map(chr, range(0x20, 0x7F)))
# PostgreSQL cuts the name of a role at 63 bytes, so the characters come in two halves.
LOGINS = {
    "ascii-from-space": (ASCII[:48], ASCII + " "),
    "ascii-to-space": (ASCII[48:] + " ", ASCII[::-1]),
    "not-ascii": ("größe-世界-🐘", "pässwörd-пароль-密码-🔑 "),
}


@pytest.mark.parametrize("case", LOGINS)
def test_login(case: str, namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path) -> None:
    user, password = LOGINS[case]
    database = f'm"l%f {case}'
    server = make_postgres().start()
    server.owned_database(database, user, password)
    namespace.apply(synthesis.server(user=user, password=password, database=database))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    logged = log_everything(client, case, tmp_path)
    check_everything(client, logged, tmp_path / "read")
    assert server.value("SELECT count(*) FROM runs", database) == 1


@pytest.mark.parametrize("case", LOGINS)
def test_wrong_password_is_not_told(case: str, namespace: Namespace, make_postgres: MakePostgres) -> None:
    user, password = LOGINS[case]
    make_postgres().start().owned_database("mlflow", user, "another")
    namespace.apply(synthesis.server(user=user, password=password))
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    assert ended.code == 1
    assert "wait-for-database: wrong-password: " in ended.message
    assert password not in ended.log + ended.message
    assert password.strip() not in ended.log + ended.message
