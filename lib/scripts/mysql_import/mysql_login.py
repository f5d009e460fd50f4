"""The login to a MySQL or MariaDB server, and why it does not work."""

from __future__ import annotations

import os
import re
import ssl
from typing import Any

from database_lock import ticks
from exit_codes import UNREACHABLE, WRONG_VERSION
from init_container import BadSetting, Failure, one_line, required
from working_copy import UnusableSource

# MySQL's and MariaDB's numbers of errors: what is wrong and what to do.
_CAUSES = {
    1044: ("mysql-privilege", "GRANT SELECT ON the database to this user"),
    1045: ("mysql-login", "Check the user and the password, and from where the server lets it in"),
    1049: ("mysql-database", "Correct the name of the database"),
    1130: ("mysql-login", "Check the user and the password, and from where the server lets it in"),
    1142: ("mysql-privilege", "GRANT SELECT ON the database to this user"),
    1143: ("mysql-privilege", "GRANT SELECT ON the database to this user"),
    1698: ("mysql-login", "Check the user and the password, and from where the server lets it in"),
}
# Cannot connect, and connection lost.
_UNREACHABLE = (2002, 2003, 2005, 2006, 2013)
_NO_TLS = "mysql-no-tls: the server encrypts no connections. Switch TLS on there, or set MYSQL_TLS to disable"
_UNTRUSTED = re.compile("certificate verify failed|Hostname mismatch|IP address mismatch")


class Unreachable(Failure):
    code = UNREACHABLE


class NoDriver(Failure):
    code = WRONG_VERSION


def connect_source(seconds: float) -> Any:
    """A session that reads, once the server answers. Text comes as the bytes of its UTF-8."""
    pymysql = driver()
    context = _tls()
    options = {
        "host": required("MYSQL_HOST"),
        "port": int(required("MYSQL_PORT")),
        "database": required("MYSQL_DATABASE"),
        "user": required("MYSQL_USER"),
        "password": os.fsencode(required("MYSQL_PASSWORD")),  # of a text, it would make Latin-1
        "charset": "utf8mb4",
        "use_unicode": False,
        "connect_timeout": 5,
        "ssl": context,
        "ssl_disabled": context is None,
    }
    for _ in ticks(seconds):
        try:
            connection = pymysql.connect(**options)
            break
        except pymysql.err.OperationalError as error:
            if error.args[0] not in _UNREACHABLE or _UNTRUSTED.search(str(error)):
                raise
            last = error
    else:
        raise Unreachable(
            f"mysql-unreachable: {one_line(str(last))}, after {seconds:g} s. Check host and port, whether the"
            " server runs, and the network policies in between"
        )
    # Older versions of the driver go on without TLS if the server has none.
    if context is not None and not _value(connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'"):
        raise UnusableSource(_NO_TLS)
    return connection


def driver() -> Any:
    try:
        import pymysql
    except ImportError:
        raise NoDriver(
            "no-driver: this image has no PyMySQL. Use one with MLflow's extra `db`, as"
            " ghcr.io/mlflow/mlflow:vX.Y.Z-full is"
        ) from None
    return pymysql


def explain_mysql(error: Exception) -> str | None:
    """The line for an error of the driver."""
    if not type(error).__module__.startswith("pymysql"):
        return None
    number, text = error.args[0] if error.args else 0, one_line(str(error.args[-1] if error.args else error))
    if "SSL is required" in text:
        return _NO_TLS
    if _UNTRUSTED.search(text):
        return f"mysql-untrusted: {text}. Give `tls` the CA of the certificate, and `host` a name in it"
    name, advice = _CAUSES.get(number, ("mysql-failed", "Read the message, and the server's log"))
    return f"{name}: {number}: {text}. {advice}"


def _tls() -> ssl.SSLContext | None:
    mode = required("MYSQL_TLS")
    if mode == "disable":
        return None
    if mode not in ("require", "verify-full"):
        raise BadSetting(f"MYSQL_TLS must be one of disable, require, verify-full, got {mode!r}")
    context = ssl.create_default_context(cafile=os.environ.get("MYSQL_TLS_CA") or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # many a server's own CA is not that complete
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _value(connection: Any, query: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[-1] if row else b""
