"""The settings that the synthesis knows, beside those of a real PostgreSQL."""

from __future__ import annotations

import re

from postgres import Postgres
from repository import ROOT

NAMES = ROOT / "lib" / "postgres" / "connection" / "setting-names.ts"


def test_every_setting_of_a_file_is_known(postgres: Postgres) -> None:
    [names] = re.findall(r"`\n(.*)\n`", NAMES.read_text(), re.DOTALL)
    with postgres.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(name) FROM pg_settings WHERE context <> 'internal' AND name NOT LIKE '%.%'"
        )
        known = {name for (name,) in cursor.fetchall()}
    assert len(known) > 300
    assert sorted(known - set(names.split())) == []
