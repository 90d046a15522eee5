-- The survey that holds (0021).
SELECT survey, run, month, messages, left_out, noted_at
FROM surveys
ORDER BY run DESC, messages DESC, length(left_out), noted_at DESC
LIMIT 1
