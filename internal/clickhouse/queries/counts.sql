-- stored: identities; repeated: their further copies; rejected: messages. FINAL
-- makes a message that was stored twice one, before or after any merge.
SELECT
    toInt64(count()) AS stored,
    toInt64(sum(copies)) - stored AS repeated,
    (SELECT toInt64(count()) FROM repeated_events WHERE verdict = 'conflict') AS conflicts,
    (SELECT toInt64(count()) FROM dead_letters FINAL) AS rejected
FROM (SELECT count() AS copies FROM events FINAL GROUP BY identity)
