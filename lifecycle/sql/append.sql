-- One event and perhaps its receipt are recorded; answers its position.
-- name: append_fact
SELECT certlife.append(
    array[%(id)s::uuid], array[%(version)s::integer], array[%(topic)s::text], array[%(state)s::bytea],
    %(person)s, %(key)s, %(body_sha256)s, %(response)s, %(decided_on)s, %(now)s
)

-- Several events and perhaps their receipt are recorded; answers the last one's position.
-- name: append_facts
SELECT certlife.append(
    %(ids)s, %(versions)s, %(topics)s, %(states)s,
    %(person)s, %(key)s, %(body_sha256)s, %(response)s, %(decided_on)s, %(now)s
)
