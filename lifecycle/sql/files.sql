-- What follows in the transaction may take longer than questions usually do.
-- name: take_time
SELECT
    set_config('statement_timeout', %(timeout)s, true),
    set_config('idle_in_transaction_session_timeout', %(timeout)s, true)

-- The bytes are kept under their digest.
-- name: keep_file
SELECT certlife.keep_file(%(content)s, %(media_type)s, %(kept_by)s, %(now)s)

-- Which of these files are kept, and what is known of them.
-- name: select_files
SELECT sha256, octet_length(content), media_type, kept_by, kept_at
FROM certlife.files
WHERE sha256 = ANY(%(digests)s)

-- The bytes of a file.
-- name: select_content
SELECT content FROM certlife.files WHERE sha256 = %(sha256)s
