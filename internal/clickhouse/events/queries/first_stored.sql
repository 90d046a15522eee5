-- When the first event was stored, in Unix milliseconds; 0 while there is none.
SELECT toUnixTimestamp64Milli(min(ingested_at)) FROM events
