-- How far the register has come, and the last place that it has given.
-- name: select_standing
SELECT position.position, position.complete_until, (SELECT max(list_index) FROM projections.register)
FROM projections.position
WHERE position.projection = 'register';

-- What the entries from a place on say on a legal day, one character each, in the order of places. One whose number
-- stands for nothing that day says ``otherwise``; of one under repair nothing can be said.
-- name: select_entries
SELECT position.position, position.complete_until, entries.last_place, entries.said
FROM projections.position
CROSS JOIN (
    SELECT
        max(list_index) AS last_place,
        string_agg(
            CASE
                WHEN under_repair THEN %(not_said)s
                ELSE coalesce(
                    (%(values)s::text[])[
                        array_position(%(statuses)s::text[], statuses[width_bucket(%(on)s::date, turns)])
                    ],
                    %(otherwise)s
                )
            END,
            '' ORDER BY list_index
        ) AS said
    FROM projections.register
    WHERE list_index >= %(first)s AND list_index < %(after)s
) AS entries
WHERE position.projection = 'register';

-- The last token of a list, and until when it is known to be right.
-- name: select_last
SELECT status_lists.expires_at, status_lists.content_sha256, status_lists.token, status_lists_confirmed.true_until
FROM certlife.status_lists
JOIN certlife.status_lists_confirmed ON status_lists_confirmed.list = status_lists.list
WHERE status_lists.list = %(list)s
ORDER BY status_lists.made_at DESC
LIMIT 1;

-- The token of a list that was the last one at an instant, and whether another came after it.
-- name: select_then
SELECT status_lists.expires_at, status_lists.token, EXISTS (
    SELECT FROM certlife.status_lists AS later
    WHERE later.list = status_lists.list AND later.made_at > status_lists.made_at
)
FROM certlife.status_lists
WHERE status_lists.list = %(list)s AND status_lists.made_at <= %(instant)s
ORDER BY status_lists.made_at DESC
LIMIT 1;

-- Every list there is.
-- name: select_lists
SELECT list FROM certlife.status_lists_confirmed ORDER BY list;

-- A token is kept; answers whether it was, or another process had been faster.
-- name: keep_list
SELECT certlife.keep_status_list(
    %(list)s, %(made_at)s, %(expires_at)s, %(content)s, %(token)s, %(true_until)s
);

-- The last token of a list is right still.
-- name: confirm_list
SELECT certlife.confirm_status_list(%(list)s, %(content)s, %(true_until)s);
