from __future__ import annotations

import sqlite3

import pytest
from import_fit import DROP_ORPHANS, RENUMBER, REPLACE_NUL, check_rows, check_schema, repair
from import_plan import Column, ForeignKey, Plan, Table
from working_copy import UnusableSource

COLUMNS = {
    "n": Column("n", "int8", None, False, None),
    "text": Column("text", "varchar", 3, True, None),
    "flag": Column("flag", "bool", None, True, None),
    "data": Column("data", "json", None, True, None),
    "day": Column("day", "date", None, True, None),
    "number": Column("number", "float8", None, True, None),
}
NUMBER = Column("experiment_id", "int4", None, False, None)
NAME = Column("name", "text", None, True, None)
PARENT = ForeignKey("fk", "runs", ("experiment_id",), "experiments", ("experiment_id",))
ENDS = tuple(
    Column(f"{end}_{part}", "varchar", 36, True, None)
    for end in ("source", "destination")
    for part in ("type", "id")
)


def database(*statements: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = bytes
    for statement in statements:
        connection.execute(statement)
    return connection


def one_table(*values: str) -> sqlite3.Connection:
    names = "n BIGINT, text VARCHAR(3), flag BOOLEAN, data JSON, day DATE, number FLOAT"
    rows = [f"INSERT INTO t VALUES ({each})" for each in values]
    return database(f"CREATE TABLE t ({names})", *rows)


PLAN = Plan([Table("t", ("n",), tuple(COLUMNS.values()))], [], [])


def test_what_fits_is_counted() -> None:
    fits = one_table(
        "1, 'äöü', 1, '{\"a\": 1}', '2026-01-31', 1e999",
        "2, NULL, NULL, NULL, NULL, NULL",
        "3, '', 0, 12, NULL, 7",
    )
    assert check_rows(fits, PLAN) == {"t": 3}


@pytest.mark.parametrize(
    ("values", "misfit"),
    [
        ("NULL, '', 1, '1', NULL, 1", "n NULL (n 'None')"),
        ("'x', '', 1, '1', NULL, 1", "n of another type than int8 (n 'x')"),
        ("1.5, '', 1, '1', NULL, 1", "n of another type than int8 (n '1.5')"),
        ("1, 'abcd', 1, '1', NULL, 1", "text longer than 3 (n '1')"),
        ("1, x'ff', 1, '1', NULL, 1", "text of another type than varchar (n '1')"),
        ("1, '', 2, '1', NULL, 1", "flag neither 0 nor 1 (n '1')"),
        ("1, '', 1, '{\"a\": NaN}', NULL, 1", "data no valid JSON (NaN?) (n '1')"),
        ("1, '', 1, '1', '31.1.2026', 1", "day no date (n '1')"),
        ("1, '', 1, '1', NULL, 'inf'", "number of another type than float8 (n '1')"),
        (
            "1, 'a' || char(0), 1, '1', NULL, 1",
            "text with NUL characters, which replace-nul replaces (n '1')",
        ),
    ],
)
def test_what_does_not_fit_is_named(values: str, misfit: str) -> None:
    with pytest.raises(UnusableSource) as raised:
        check_rows(one_table("9, NULL, NULL, NULL, NULL, NULL", values), PLAN)
    assert str(raised.value) == (
        f"misfits: PostgreSQL cannot store 1 in t.{misfit}. Allow the repairs that are named, or correct the"
        " rest in the old database"
    )


def test_many_misfits_are_counted() -> None:
    columns = tuple(Column(f"c{i}", "int8", None, True, None) for i in range(11))
    names = ", ".join(column.name for column in columns)
    connection = database(
        f"CREATE TABLE t ({names})", "INSERT INTO t VALUES (" + ", ".join(11 * ["'x'"]) + ")"
    )
    with pytest.raises(UnusableSource, match=r"t\.c7 of another type [^;]+; and 3 more kinds\. Allow"):
        check_rows(connection, Plan([Table("t", (), columns)], [], []))


def test_nul_is_replaced_where_that_is_allowed() -> None:
    connection = one_table("1, 'a' || char(0) || 'b', 1, '1', NULL, 1")
    assert list(repair(connection, PLAN, [])) == []
    assert list(repair(connection, PLAN, [REPLACE_NUL])) == [
        "replace-nul: 1 texts in t.text have U+FFFD in its place"
    ]
    assert connection.execute("SELECT text FROM t").fetchone() == ("a\ufffdb".encode(),)
    assert check_rows(connection, PLAN) == {"t": 1}


def experiments(*numbers: int) -> tuple[sqlite3.Connection, Plan]:
    plan = Plan(
        [
            Table("experiments", ("experiment_id",), (NUMBER, NAME)),
            Table("runs", (), (NUMBER,)),
            Table("entity_associations", (), ENDS),
        ],
        [PARENT],
        [],
    )
    rows = [
        f"INSERT INTO experiments VALUES ({number}, 'e{number}', {i})" for i, number in enumerate(numbers)
    ]
    ends = ", ".join(column.name for column in ENDS)
    return database(
        "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, creation_time BIGINT)",
        "CREATE TABLE runs (experiment_id INTEGER)",
        f"CREATE TABLE entity_associations ({ends})",
        *rows,
        *(f"INSERT INTO runs VALUES ({number})" for number in numbers),
    ), plan


def test_large_numbers_become_small_ones() -> None:
    connection, plan = experiments(0, 7, 10**17 + 1, 10**17)
    connection.execute(
        f"INSERT INTO entity_associations VALUES ('evaluation_dataset', 'd-1', 'experiment', '{10**17}')"
    )
    with pytest.raises(
        UnusableSource, match=r"2 in experiments\.experiment_id above 2147483647, which renumber-ex"
    ):
        check_rows(connection, plan)
    assert list(repair(connection, plan, [RENUMBER])) == [
        f"renumber-experiments: experiment {10**17 + 1} ('e{10**17 + 1}') is 8",
        f"renumber-experiments: experiment {10**17} ('e{10**17}') is 9",
    ]
    for table in ("experiments", "runs"):
        rows = connection.execute(f"SELECT experiment_id FROM {table} ORDER BY 1").fetchall()
        assert rows == [(0,), (7,), (8,), (9,)]
    assert connection.execute("SELECT * FROM entity_associations").fetchone()[3] == b"9"
    check_rows(connection, plan)


def test_orphans_go_with_all_that_refers_to_them() -> None:
    connection, plan = experiments(1)
    connection.execute("INSERT INTO runs VALUES (2), (3)")
    with pytest.raises(
        UnusableSource, match="2 in runs without their row in experiments, which drop-orphans leaves"
    ):
        check_rows(connection, plan)
    assert list(repair(connection, plan, [DROP_ORPHANS])) == [
        "drop-orphans: 2 rows of runs without their row in experiments left out"
    ]
    assert check_rows(connection, plan)["runs"] == 1


def test_schemas_have_to_be_the_same() -> None:
    connection = database("CREATE TABLE t (n BIGINT, own TEXT)", "CREATE TABLE users (name TEXT)")
    with pytest.raises(
        UnusableSource, match="schema-differs: t: data, day, flag, number, own, text on one side only"
    ):
        check_schema(connection, PLAN)
    plan = Plan([Table("t", (), (COLUMNS["n"],))], [], [])
    connection.execute("ALTER TABLE t DROP COLUMN own")
    assert check_schema(connection, plan) == ["users"]
    odd = Plan([Table("t", (), (COLUMNS["n"]._replace(type="int4range"),))], [], [])
    with pytest.raises(UnusableSource, match="schema-differs: t: n int4range on one side only"):
        check_schema(connection, odd)
