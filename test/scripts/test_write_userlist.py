from __future__ import annotations

import os
import stat
import string
from pathlib import Path

import init_container
import pytest
import write_userlist

LOGIN = {"PGUSER": "mlflow", "PGPASSWORD": "secret", "PGHOST": "db", "PGPORT": "5432", "PGDATABASE": "mlflow"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)

    def main(**changed: str) -> int:
        for name, value in {**LOGIN, "PGBOUNCER_FOLDER": str(tmp_path), **changed}.items():
            monkeypatch.setenv(name, value)
        return write_userlist.main()

    return main


def test_writes_both_files_for_nobody_else(run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert (tmp_path / "userlist.txt").read_text() == '"mlflow" "secret"\n'
    assert (tmp_path / "databases.ini").read_text() == "[databases]\nmlflow = host='db' port=5432\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.*")} == {0o600}
    assert capsys.readouterr().out == f"write-userlist: written: userlist.txt, databases.ini in {tmp_path}\n"


def test_a_restart_writes_over_a_longer_file(run, tmp_path: Path) -> None:
    assert run(PGPASSWORD="a much longer password") == 0
    assert run() == 0
    assert (tmp_path / "userlist.txt").read_text() == '"mlflow" "secret"\n'


def read_as_pgbouncer(text: bytes) -> list[bytes]:
    """The fields of an auth_file, by the rules of PgBouncer's loader."""
    fields, at = [], 0
    while (at := text.find(b'"', at) + 1) > 0:
        field = b""
        while text[at : at + 1] != b'"' or text[at : at + 2] == b'""':
            at += 1 if text[at : at + 1] == b'"' else 0
            field += text[at : at + 1]
            at += 1
        fields.append(field)
        at += 1
    return fields


@pytest.mark.parametrize(
    "password",
    [
        string.printable,
        '"',
        '""quoted""',
        " spaces at both ends ",
        "\\",
        "; comment",
        "two\nlines\r\n",
        "pässwörd ✓ 密",
        "md5 is not a hash",
        os.fsdecode(b"latin-1 \xe4"),
        "x" * 1024,
        '"' * 1023,
    ],
)
def test_any_password_is_read_back(run, tmp_path: Path, password: str) -> None:
    assert run(PGPASSWORD=password) == 0
    assert read_as_pgbouncer((tmp_path / "userlist.txt").read_bytes()) == [b"mlflow", os.fsencode(password)]


@pytest.mark.parametrize(
    ("host", "port", "database", "line"),
    [
        ("2001:db8::1", "6543", "my_db.1-x", "my_db.1-x = host='2001:db8::1' port=6543"),
        ("db", "5432", "my db", "* = host='db' port=5432"),
        ("db", "5432", 'o\'dd "name"', "* = host='db' port=5432"),
        ("d'b", "5432", "2024", "2024 = host='d''b' port=5432"),
        ("a,b", "5432", "x", "x = host='a,b' port=5432 load_balance_hosts=disable"),
        ("a,b", "5432,5432", "x", "x = host='a,b' port=5432 load_balance_hosts=disable"),
    ],
)
def test_points_at_the_database(host: str, port: str, database: str, line: str) -> None:
    assert write_userlist.databases(host, port, database) == f"[databases]\n{line}\n"


def test_the_backends_user_asks_for_others(run, tmp_path: Path) -> None:
    assert run(PGUSER="o'neil") == 0
    assert "auth_user" not in (tmp_path / "databases.ini").read_text()
    assert run(PGUSER="o'neil", PGBOUNCER_ASK_DATABASE="true") == 0
    assert " port=5432 auth_user='o''neil'\n" in (tmp_path / "databases.ini").read_text()


def test_the_port_has_libpqs_default(run, tmp_path: Path) -> None:
    assert run(PGPORT="") == 0
    assert "port=5432\n" in (tmp_path / "databases.ini").read_text()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"PGUSER": ""}, "PGUSER must not be empty: PgBouncer lets nobody in without it"),
        ({"PGPASSWORD": ""}, "PGPASSWORD must not be empty: PgBouncer lets nobody in without it"),
        (
            {"PGUSER": "u" * 128},
            "PGUSER must have at most 127 bytes (a double quote counts twice), got 128",
        ),
        ({"PGPASSWORD": "ö" * 512 + "x"}, "PGPASSWORD must have at most 1024 bytes, got 1025"),
        (
            {"PGPASSWORD": '"' * 1024},
            "PGPASSWORD must have at most 2047 bytes (a double quote counts twice), got 2048",
        ),
        (
            {"PGPASSWORD": "md5" + "0" * 32},
            "PGPASSWORD looks like a hash, and PgBouncer would take it for one: use another password",
        ),
        (
            {"PGPASSWORD": "SCRAM-SHA-256$4096:salt$a:b"},
            "PGPASSWORD looks like a hash, and PgBouncer would take it for one: use another password",
        ),
        ({"PGHOST": ""}, "PGHOST must be one line of text, got ''"),
        ({"PGHOST": "db\n"}, "PGHOST must be one line of text, got 'db\\n'"),
        ({"PGDATABASE": "a\r"}, "PGDATABASE must be one line of text, got 'a\\r'"),
        ({"PGDATABASE": ""}, "PGDATABASE must be one line of text, got ''"),
        (
            {"PGDATABASE": "pgbouncer"},
            "PGDATABASE must not be pgbouncer, which is the name of PgBouncer's own console",
        ),
        ({"PGDATABASE": "ö" * 32}, "PGDATABASE must have at most 63 bytes"),
        ({"PGPORT": "http"}, "PGPORT must be a whole number from 1 to 65535, got 'http'"),
        ({"PGPORT": "0"}, "PGPORT must be a whole number from 1 to 65535, got '0'"),
        ({"PGPORT": "65536"}, "PGPORT must be a whole number from 1 to 65535, got '65536'"),
        ({"PGPORT": "²"}, "PGPORT must be a whole number from 1 to 65535, got '²'"),
        (
            {"PGHOST": "a,b", "PGPORT": "1,2"},
            "PGPORT must be the same on every host, got '1,2': PgBouncer knows one port for a,b",
        ),
    ],
)
def test_refuses_what_pgbouncer_cannot_take(
    run, tmp_path: Path, termination_log: Path, changed: dict[str, str], text: str
) -> None:
    assert run(**changed) == 1
    assert termination_log.read_text() == f"write-userlist: bad-settings: {text}\n"
    assert list(tmp_path.glob("*.ini")) + list(tmp_path.glob("userlist*")) == []


def test_says_where_it_could_not_write(run, termination_log: Path) -> None:
    assert run(PGBOUNCER_FOLDER="/nowhere") == 1
    assert termination_log.read_text() == (
        "write-userlist: cannot-write: [Errno 2] No such file or directory: '/nowhere/userlist.txt'."
        " Mount a writable volume at /nowhere\n"
    )


def test_a_password_in_the_wrong_variable_stays_out_of_the_log(run, termination_log: Path) -> None:
    assert run(PGPASSWORD="hunter2", PGHOST="u:hunter2@db\n") == 1
    assert "hunter2" not in termination_log.read_text()


def test_an_exporter_gets_a_password_of_its_own(
    run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    passwords = []
    for _ in range(2):
        assert run(PGBOUNCER_STATS_USER="exporter") == 0
        login, password = (tmp_path / "stats.pgpass").read_text().rstrip("\n").rsplit(":", 1)
        assert login == "*:*:pgbouncer:exporter"
        assert (tmp_path / "userlist.txt").read_text() == f'"mlflow" "secret"\n"exporter" "{password}"\n'
        assert stat.S_IMODE((tmp_path / "stats.pgpass").stat().st_mode) == 0o600
        assert password not in capsys.readouterr().out
        passwords.append(password)
    assert passwords[0] != passwords[1]


def test_the_exporter_is_nobody_else(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(PGBOUNCER_STATS_USER="mlflow") == 1
    assert "PGUSER must not be mlflow" in capsys.readouterr().out


def test_sets_the_schema_of_each_connection(run, tmp_path: Path) -> None:
    assert run(DATABASE_SCHEMA='Team\'s "ML"') == 0
    assert (tmp_path / "databases.ini").read_text() == (
        "[databases]\nmlflow = host='db' port=5432 connect_query='SET search_path = \"Team''s \"\"ML\"\"\"'\n"
    )
