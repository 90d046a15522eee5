-- Whether there is an event whose time lies before an instant.
SELECT CAST(count() > 0, 'Bool') FROM (SELECT 1 FROM events WHERE time < {at:DateTime64(3, 'UTC')} LIMIT 1)
