from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
import write_rds_token
from conftest import Clock
from init_container import BadSetting
from write_rds_token import Keeper, Settings, cause_of, check, password_file, read_settings, write

HOST = "a.b.eu-west-1.rds.amazonaws.com"
SECRET = "wJalrXUtnFEMI/K7MDENG"


class ClientError(Exception):
    """Of this name in botocore."""


class InvalidIdentityToken(ClientError):
    pass


def settings(folder: Path, *hosts: tuple[str, str], renewal: float = 600) -> Settings:
    return Settings("mlflow", 5432, list(hosts or [("eu-west-1", HOST)]), str(folder / "pgpass"), renewal)


@pytest.fixture(autouse=True)
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "PGUSER": "mlflow",
        "PGPORT": "5432",
        "PGPASSFILE": str(tmp_path / "pgpass"),
        "RDS_HOSTS": f"eu-west-1/{HOST}",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RDS_RENEWAL_SECONDS", raising=False)


def test_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert read_settings() == settings(tmp_path)
    monkeypatch.setenv("RDS_HOSTS", f"eu-west-1/{HOST},us-east-1/other")
    monkeypatch.setenv("RDS_RENEWAL_SECONDS", "5")
    assert read_settings() == settings(tmp_path, ("eu-west-1", HOST), ("us-east-1", "other"), renewal=5)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("RDS_HOSTS", HOST, f"RDS_HOSTS must be region/host, with commas, got '{HOST}'"),
        ("RDS_HOSTS", "", "RDS_HOSTS must be region/host, with commas, got ''"),
        ("RDS_HOSTS", "a/b,/c", "RDS_HOSTS must be region/host, with commas, got 'a/b,/c'"),
        ("PGPORT", "x", "PGPORT must be a whole number, got 'x'"),
        ("PGUSER", "", "PGUSER and PGPASSFILE must not be empty"),
        ("PGPASSFILE", "", "PGUSER and PGPASSFILE must not be empty"),
        (
            "RDS_RENEWAL_SECONDS",
            "soon",
            "RDS_RENEWAL_SECONDS must be a number of seconds from 0, got 'soon'",
        ),
    ],
)
def test_settings_that_cannot_be(monkeypatch: pytest.MonkeyPatch, name: str, value: str, text: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=f"^{re.escape(text)}$"):
        read_settings()


def test_a_setting_that_cannot_be_is_the_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    monkeypatch.setenv("PGPORT", "x")
    assert write_rds_token.main([]) == 1
    line = "rds-token: bad-settings: PGPORT must be a whole number, got 'x'\n"
    assert (capsys.readouterr().out, termination_log.read_text()) == (line, line)


def test_a_line_for_each_host_with_its_own_token(tmp_path: Path) -> None:
    given = settings(tmp_path, ("eu-west-1", HOST), ("us-east-1", "c.d"))._replace(user="a:b\\c")
    text = password_file(given, lambda region, host: f"{host}:5432/?in={region}\\")
    assert text == (
        f"{HOST}:5432:*:a\\:b\\\\c:{HOST}\\:5432/?in=eu-west-1\\\\\n"
        "c.d:5432:*:a\\:b\\\\c:c.d\\:5432/?in=us-east-1\\\\\n"
    )


def test_the_file_is_replaced_in_one_step_and_for_nobody_else(tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    write(str(file), "old\n")
    reader = file.open()
    (tmp_path / "pgpass.new").write_text("left by one that was killed, and longer")
    (tmp_path / "pgpass.new").chmod(0o600)
    write(str(file), "new\n")
    assert (reader.read(), file.read_text()) == ("old\n", "new\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (tmp_path / "pgpass.new").exists()


def test_how_old_a_token_may_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pgpass"
    file.touch()
    os.utime(file, (1000, 1000))
    assert [check(str(file), 1000 + age) for age in (0, 839, 840, 3600)] == [0, 0, 1, 1]
    assert capsys.readouterr().out == "the newest token is 840 s old\nthe newest token is 3600 s old\n"


def test_the_check_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_rds_token.main(["--check"]) == 1
    assert capsys.readouterr().out == "no token yet\n"
    (tmp_path / "pgpass").touch()
    assert write_rds_token.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_renews_for_ever_and_says_so_once(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = Keeper(settings(tmp_path), lambda _, host: f"{host}@{clock.now:g}", clock.sleep)
    keeper.keep(3)
    assert clock.naps == [600, 600, 600]
    assert (tmp_path / "pgpass").read_text() == f"{HOST}:5432:*:mlflow:{HOST}@2200\n"
    assert capsys.readouterr().out == f'rds-token: written: for user "mlflow" at {HOST}, again every 600 s\n'
    assert keeper.end() == 0


def test_tries_again_soon_and_leaves_the_old_token_meanwhile(
    tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    def sign(region: str, host: str) -> str:
        if 1600 <= clock.now < 1720:
            raise InvalidIdentityToken(f"An error\noccurred: no such key {SECRET}.")
        return f"token@{clock.now:g}"

    keeper = Keeper(settings(tmp_path), sign, clock.sleep)
    keeper.keep(7)
    assert clock.naps == [600, 1, 2, 4, 8, 16, 30]
    assert (tmp_path / "pgpass").read_text() == f"{HOST}:5432:*:mlflow:token@1000\n"
    failure = (
        "rds-token: refused: An error occurred: no such key ***."
        " Let the role trust this ServiceAccount, and the OIDC provider of the cluster"
    )
    assert capsys.readouterr().out.splitlines()[1:3] == [f"{failure} (next in {s} s)" for s in (1, 2)]
    assert keeper.end() == 1
    assert termination_log.read_text() == f"{failure}\n"
    keeper.keep(6)
    assert clock.naps[7:] == [1, 2, 4, 8, 16, 30]
    keeper.keep(2)
    assert (tmp_path / "pgpass").read_text() == f"{HOST}:5432:*:mlflow:token@{clock.now - 600:g}\n"
    assert keeper.end() == 0


def test_a_try_never_waits_longer_than_a_renewal(tmp_path: Path, clock: Clock) -> None:
    keeper = Keeper(settings(tmp_path / "missing", renewal=5), lambda *_: "token", clock.sleep)
    keeper.keep(5)
    assert clock.naps == [1, 2, 4, 5, 5]
    assert keeper.failure == (
        f"cannot-write: [Errno 2] No such file or directory: '{tmp_path}/missing/pgpass.new'."
        " Mount a volume there that this user can write to"
    )


def test_an_image_without_botocore() -> None:
    error = ModuleNotFoundError("No module named 'botocore'")
    assert cause_of(error) == (
        "bad-image: No module named 'botocore'."
        " Use an image with botocore: ghcr.io/mlflow/mlflow:vX.Y.Z-full, not without -full"
    )


def test_what_is_not_known() -> None:
    assert cause_of(ValueError()) == "unknown: ValueError. No cause that is known here: read the message"


class TestWithBotocore:
    """The signature itself is verified in test/pods, against a stand-in of RDS."""

    @pytest.fixture(autouse=True)
    def credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("botocore")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    def test_finds_credentials_that_come_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        signer = write_rds_token.Signer("mlflow", 5432)
        with pytest.raises(Exception, match=r"^Unable to locate credentials$") as caught:
            signer("eu-west-1", HOST)
        assert cause_of(caught.value).startswith(
            "no-credentials: Unable to locate credentials. Nothing gives"
        )
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        token = signer("eu-west-1", HOST)
        assert token.startswith(f"{HOST}:5432/?Action=connect&DBUser=mlflow&")
        assert "%2Feu-west-1%2Frds-db%2Faws4_request" in token
        assert "X-Amz-Expires=900" in token

    def test_a_way_to_sts_that_is_closed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "identity").write_text("token")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "identity"))
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/mlflow")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
        with pytest.raises(Exception, match=r"^Could not connect") as caught:
            write_rds_token.Signer("mlflow", 5432)("eu-west-1", HOST)
        assert cause_of(caught.value) == (
            'unreachable: Could not connect to the endpoint URL: "http://127.0.0.1:9/".'
            " Let the pod reach AWS's APIs (STS, port 443): look at network policies, DNS and routes"
        )
