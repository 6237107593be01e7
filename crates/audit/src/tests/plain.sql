-- The tables once more, empty, in the shape that the tests' statements are written in, and `pour`, which fills the real
-- tables from them. The real tables lose what would stop a corruption.
CREATE SCHEMA plain;

DO $$
DECLARE found record;
BEGIN
    FOR found IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
                 WHERE connamespace = 'public'::regnamespace ORDER BY contype <> 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.conname);
    END LOOP;
    DROP INDEX tokens_live, reservations_keys, payments_keys, entries_keys;
    FOR found IN SELECT table_name,
                        string_agg(format('NULL::%s AS %I',
                                          CASE data_type WHEN 'timestamp with time zone' THEN 'bigint'
                                                         WHEN 'numeric' THEN 'bigint'
                                                         WHEN 'boolean' THEN 'integer'
                                                         WHEN 'date' THEN 'text'
                                                         ELSE data_type END,
                                          column_name), ', ' ORDER BY ordinal_position) AS columns
                 FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name LOOP
        EXECUTE format('CREATE TABLE plain.%I AS SELECT %s WHERE false', found.table_name, found.columns);
    END LOOP;
END $$;

CREATE FUNCTION public.pour() RETURNS void LANGUAGE plpgsql AS $$
DECLARE found record;
BEGIN
    FOR found IN SELECT table_name,
                        string_agg(format(CASE data_type
                                          WHEN 'timestamp with time zone'
                                            THEN 'timestamptz ''epoch'' + %I * interval ''1 microsecond'''
                                          WHEN 'numeric' THEN '%I / 100.0'
                                          WHEN 'boolean' THEN '%I::boolean'
                                          WHEN 'date' THEN '%I::date'
                                          ELSE '%I' END,
                                          column_name), ', ' ORDER BY ordinal_position) AS columns
                 FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name LOOP
        EXECUTE format('DELETE FROM public.%I', found.table_name);
        EXECUTE format('INSERT INTO public.%I SELECT %s FROM plain.%I', found.table_name, found.columns, found.table_name);
    END LOOP;
END $$;
