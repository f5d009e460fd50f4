-- :schema limits it to one schema, unless it is empty.
-- A line for each table, `rows name`, in an order that does not depend on a locale. \gexec runs what the query returns.
SELECT format('SELECT count(*) || %L FROM %I.%I', format(' %I.%I', nspname, relname), nspname, relname)
  FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind = 'r' AND nspname <> 'information_schema' AND nspname !~ '^pg_' AND :'schema' IN ('', nspname)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend
                    WHERE classid = 'pg_catalog.pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
 ORDER BY nspname COLLATE "C", relname COLLATE "C"
\gexec
