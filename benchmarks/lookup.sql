-- Numbers in the register beside the one that a certificate was issued under: its answers again, each with a tag of its own.
-- name: fill_register
INSERT INTO projections.register (number, certificate_id, segments, turns, statuses, list_index)
SELECT made.number, issued.certificate_id,
    convert_to(
        replace(replace(convert_from(issued.segments, 'UTF8'), issued.number, made.number), made.tag, md5(made.number)),
        'UTF8'
    ),
    issued.turns, issued.statuses, made.place
FROM (SELECT * FROM projections.register WHERE number = %(number)s) AS issued
CROSS JOIN LATERAL (
    SELECT place, 'CSP-S01-2099-' || lpad(place::text, 7, '0') AS number,
        convert_from(issued.segments, 'UTF8')::json -> 0 ->> 1 AS tag
    FROM generate_series(1, %(count)s) AS place
) AS made;

-- name: analyze_register
VACUUM (ANALYZE) projections.register;

-- What the peer answers, for the same numbers and as many bytes.
-- name: create_answers
CREATE TABLE public.answer (number text PRIMARY KEY, body bytea NOT NULL);

-- name: fill_answers
INSERT INTO public.answer (number, body)
SELECT number, convert_to(rpad('{"certificate_number":"' || number || '"', %(length)s - 1) || '}', 'UTF8')
FROM projections.register;

-- name: analyze_answers
VACUUM (ANALYZE) public.answer;

-- name: select_answer
SELECT body FROM public.answer WHERE number = %(number)s
