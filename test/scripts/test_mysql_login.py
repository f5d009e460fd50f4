from __future__ import annotations

import ssl
import struct
import sys
from typing import Any

import pytest
from exit_codes import UNREACHABLE, WRONG_VERSION
from init_container import BadSetting
from mysql_login import NoDriver, Unreachable, connect_source, driver, explain_mysql
from mysql_schema import _column
from working_copy import UnusableSource


class OperationalError(Exception):
    pass


OperationalError.__module__ = "pymysql.err"


class Driver:
    """What PyMySQL does, as far as the import sees it."""

    class err:
        OperationalError = OperationalError

    def __init__(self, *errors: Exception, cipher: bytes = b"TLS_AES_256_GCM_SHA384") -> None:
        self.errors, self.cipher, self.options = list(errors), cipher, {}

    def connect(self, **options: Any) -> Driver:
        self.options = options
        if self.errors:
            raise self.errors.pop(0)
        return self

    def cursor(self) -> Driver:
        return self

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: str) -> None:
        assert query == "SHOW SESSION STATUS LIKE 'Ssl_cipher'"

    def fetchone(self) -> tuple[bytes, bytes]:
        return (b"Ssl_cipher", self.cipher)


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HOST": "old",
        "PORT": "3306",
        "DATABASE": "mlflow",
        "USER": "u",
        "PASSWORD": "pä'ss",
    }.items():
        monkeypatch.setenv(f"MYSQL_{name}", value)
    monkeypatch.setenv("MYSQL_TLS", "require")
    monkeypatch.delenv("MYSQL_TLS_CA", raising=False)


def use(monkeypatch: pytest.MonkeyPatch, fake: Driver) -> Driver:
    monkeypatch.setitem(sys.modules, "pymysql", fake)  # type: ignore[arg-type]
    return fake


def test_the_login_is_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = use(monkeypatch, Driver())
    assert connect_source(0) is fake
    assert fake.options["password"] == "pä'ss".encode()
    assert (fake.options["port"], fake.options["use_unicode"], fake.options["ssl_disabled"]) == (
        3306,
        False,
        False,
    )
    assert fake.options["ssl"].verify_mode == ssl.CERT_NONE


@pytest.mark.parametrize(("mode", "verified"), [("require", False), ("verify-full", True)])
def test_certificates(mode: str, verified: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_TLS", mode)
    fake = use(monkeypatch, Driver())
    connect_source(0)
    context = fake.options["ssl"]
    assert (context.verify_mode == ssl.CERT_REQUIRED, context.check_hostname) == (verified, verified)


def test_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_TLS", "disable")
    fake = use(monkeypatch, Driver(cipher=b""))
    connect_source(0)
    assert (fake.options["ssl"], fake.options["ssl_disabled"]) == (None, True)
    monkeypatch.setenv("MYSQL_TLS", "prefer")
    with pytest.raises(
        BadSetting, match="MYSQL_TLS must be one of disable, require, verify-full, got 'prefer'"
    ):
        connect_source(0)


def test_a_driver_that_goes_on_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Driver(cipher=b""))
    with pytest.raises(UnusableSource, match="mysql-no-tls: the server encrypts no connections"):
        connect_source(0)


def test_a_server_that_starts_later(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    monkeypatch.setattr("database_lock.time.monotonic", clock)
    monkeypatch.setattr("database_lock.time.sleep", clock.sleep)
    refused = OperationalError(2003, "Can't connect")
    fake = use(monkeypatch, Driver(refused, refused))
    assert connect_source(10) is fake
    use(monkeypatch, Driver(*[refused] * 100))
    with pytest.raises(Unreachable) as raised:
        connect_source(10)
    assert raised.value.code == UNREACHABLE
    assert "after 10 s. Check host and port" in str(raised.value)


def test_what_waiting_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (
        OperationalError(1045, "Access denied"),
        OperationalError(2003, "certificate verify failed"),
    ):
        use(monkeypatch, Driver(error, error))
        with pytest.raises(OperationalError):
            connect_source(100)


def test_an_image_without_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)  # type: ignore[arg-type]
    with pytest.raises(NoDriver, match="no-driver: this image has no PyMySQL") as raised:
        driver()
    assert raised.value.code == WRONG_VERSION


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((1045, "Access denied"), "mysql-login: 1045: Access denied. Check the user and the password, "),
        ((1142, "SELECT command denied"), "mysql-privilege: 1142: SELECT command denied. GRANT SELECT ON "),
        ((1049, "Unknown database 'x'"), "mysql-database: 1049: Unknown database 'x'. Correct the name"),
        (
            (2003, "x: certificate verify failed"),
            "mysql-untrusted: x: certificate verify failed. Give `tls` ",
        ),
        ((2026, "SSL is required but the server doesn't support it"), "mysql-no-tls: "),
        ((1205, "Lock wait\ntimeout"), "mysql-failed: 1205: Lock wait timeout. Read the message"),
    ],
)
def test_causes(args: tuple[int, str], text: str) -> None:
    assert (explain_mysql(OperationalError(*args)) or "").startswith(text)
    assert explain_mysql(ValueError(*args)) is None


@pytest.mark.parametrize(
    "value", [b"0.10000000149011612", b"123456.7890625", b"0", b"-3.4028234663852886e38"]
)
def test_a_float_of_four_bytes_is_the_shortest_that_is_the_same(value: bytes) -> None:
    column = _column("weight", "float")
    assert column
    shortest = column.decode(value)
    assert len(repr(shortest)) <= len(repr(float(value)))
    assert struct.pack("f", shortest) == struct.pack("f", float(value))


def test_a_type_that_mlflow_does_not_use() -> None:
    assert _column("location", "geometry") is None
    assert _column("flag", "tinyint") is not None
