-- What is kept of a person; no row where nothing was given, an empty one where the person was erased.
-- name: select_details
SELECT master, wrapped_key, sealed FROM certlife.personal_details WHERE person = %(person)s

-- Persons whose keys another master key than the one in force wraps, a page at a time.
-- name: select_wrapped_otherwise
SELECT person, master, wrapped_key, sealed
FROM certlife.personal_details
WHERE master <> %(master)s AND person > %(after)s
ORDER BY person
LIMIT %(limit)s

-- The same key of a person, wrapped by another master key.
-- name: rewrap_key
SELECT certlife.rewrap_key(%(person)s, %(master)s, %(before)s, %(after)s)
