-- What stands, by reason.
SELECT reason, toInt64(count()) FROM anomalies GROUP BY reason
