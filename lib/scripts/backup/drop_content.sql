-- Run by restore_begin.sql, in its transaction: drops whatever a dump has, but for schemas and extensions.
-- restore.schema limits it to one schema, as the dump is, unless it is empty. Who logs in must own it. Servers that still run wait for the end of the transaction.
DO $$
DECLARE
  statement text;
BEGIN
  LOOP
    -- One at a time: CASCADE also drops what would come next.
    SELECT format('DROP %s CASCADE', each)
      INTO statement
      FROM (SELECT 'pg_class'::regclass AS catalog, pg_class.oid, relnamespace AS schema,
                   format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                                                WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
                          pg_class.oid::regclass) AS each
              FROM pg_class
             WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, pronamespace, format('ROUTINE %s', oid::regprocedure) FROM pg_proc
            UNION ALL
            SELECT 'pg_type'::regclass, oid, typnamespace, format('TYPE %s', oid::regtype)
              FROM pg_type
             WHERE typtype IN ('d', 'e', 'r')) AS found
      JOIN pg_namespace ON pg_namespace.oid = schema
     WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
       AND current_setting('restore.schema') IN ('', nspname)
       AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = catalog AND objid = found.oid AND deptype IN ('a', 'e', 'i'))
     LIMIT 1;
    EXIT WHEN statement IS NULL;
    EXECUTE statement;
  END LOOP;
END $$;
