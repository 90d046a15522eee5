-- The UTC months of a time that have events in the scope.
SELECT toYYYYMM(time) AS month
FROM events
WHERE time >= {from:DateTime64(3, 'UTC')} AND time < {to:DateTime64(3, 'UTC')}
    AND is_usage = {usage:Bool}
    AND {{in_scope}}
GROUP BY month
ORDER BY month
