-- The log and the receipts can be made to refuse the n-th row that is written from now on.
-- name: create_fault
CREATE SEQUENCE public.written;
CREATE TABLE public.fault (at bigint);
INSERT INTO public.fault VALUES (0);
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('public.written') = (SELECT at FROM public.fault) THEN
        RAISE EXCEPTION 'this row is refused';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON certlife.events FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER refuse BEFORE INSERT ON certlife.receipts FOR EACH ROW EXECUTE FUNCTION public.refuse()

-- Which row is refused, counted from now.
-- name: set_fault
UPDATE public.fault SET at = %(at)s

-- Counted from one again.
-- name: restart_counting
ALTER SEQUENCE public.written RESTART

-- Everything that was recorded.
-- name: select_everything
SELECT originator_id::text, originator_version::text, topic, encode(state, 'escape') FROM certlife.events
UNION ALL SELECT person, idempotency_key, position::text, encode(response, 'escape') FROM certlife.receipts
ORDER BY 1, 2
