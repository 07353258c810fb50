-- The events of one certificate, as they lie.
-- name: select_of_certificate
SELECT position, edition, codes, told FROM projections.trail WHERE certificate = %(certificate)s ORDER BY position

-- A page, as it lies.
-- name: select_page
SELECT position, edition, codes, told FROM projections.trail WHERE position > %(after)s ORDER BY position LIMIT 200

-- A certificate that was issued.
-- name: select_certificate
SELECT originator_id FROM certlife.events WHERE topic = 'certificate-issued.v1' ORDER BY position LIMIT 1

-- How far the trail goes.
-- name: select_last
SELECT max(position) FROM projections.trail
