-- Lines of a rehearsal are kept; those kept before stay as they are.
-- name: keep_lines
SELECT certlife.keep_rehearsal_lines(%(rehearsal)s, %(certificates)s, %(affected)s, %(lines)s)

-- A rehearsal's lines in the order of their certificates; of is TRUE for those of affected certificates alone.
-- name: select_lines
SELECT certificate, line, line_sha256
FROM certlife.rehearsal_lines
WHERE rehearsal = %(rehearsal)s AND certificate > %(after)s AND affected >= %(of)s
ORDER BY certificate
LIMIT %(limit)s

-- One certificate's line.
-- name: select_line
SELECT certificate, line, line_sha256
FROM certlife.rehearsal_lines
WHERE rehearsal = %(rehearsal)s AND certificate = %(certificate)s
