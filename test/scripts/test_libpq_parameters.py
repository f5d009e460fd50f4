"""`parameters` of a backend accepts or refuses each parameter of the libpq in MLflow's image."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import psycopg2

SOURCE = Path(__file__).parents[2] / "lib/postgres/connection/connection-options.ts"


class Option(ctypes.Structure):
    """PQconninfoOption of libpq-fe.h."""

    _fields_ = (
        *((name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")),
        ("dispsize", ctypes.c_int),
    )


def keywords_of_libpq() -> set[str]:
    [library] = Path(psycopg2.__file__).parents[1].glob("psycopg2_binary.libs/libpq-*")
    libpq = ctypes.CDLL(str(library))
    assert libpq.PQlibVersion() // 10000 == 17
    libpq.PQconndefaults.restype = ctypes.POINTER(Option)
    options = libpq.PQconndefaults()
    found = set()
    while keyword := options[len(found)].keyword:
        found.add(keyword.decode())
    return found


def test_each_parameter_is_accepted_or_has_a_way_out() -> None:
    text = SOURCE.read_text()
    accepted = re.search(r"PARAMETERS = \[(.*?)\]", text, re.DOTALL)[1]
    owned = re.search(r"OWNED: [^{]*\{(.*?)\n\}", text, re.DOTALL)[1]
    names = [*re.findall(r"'(\w+)'", accepted), *re.findall(r"^  (\w+):", owned, re.MULTILINE)]
    assert len(names) == len(set(names))
    assert set(names) == keywords_of_libpq()
