-- What is in a database, to be compared with another: a line for each table (its rows, the sum of their digests), and for each
-- sequence (what it goes on with), in an order that does not depend on a locale. :schema limits it to one schema, unless it is empty.
-- Each row is taken as text, so all that decides how values are written is set.
SET LOCAL datestyle = 'ISO, YMD';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SELECT format(
         'SELECT concat_ws('' '', %L, count(*), sum((''x'' || encode(substr(sha256(convert_to(each::text, ''UTF8'')), 1, 8), ''hex''))::bit(64)::bigint::numeric)) FROM %I.%I AS each',
         format('table %I.%I', nspname, relname), nspname, relname)
  FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname !~ '^pg_' AND :'schema' IN ('', nspname)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                    WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
 ORDER BY nspname COLLATE "C", relname COLLATE "C"
\gexec
SELECT format('SELECT concat_ws('' '', %L, last_value, is_called) FROM %I.%I', format('sequence %I.%I', nspname, relname), nspname, relname)
  FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind = 'S' AND nspname <> 'information_schema' AND nspname !~ '^pg_' AND :'schema' IN ('', nspname)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                    WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
 ORDER BY nspname COLLATE "C", relname COLLATE "C"
\gexec
