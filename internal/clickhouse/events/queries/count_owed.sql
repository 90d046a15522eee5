-- How many copies of dead letters are owed.
SELECT toInt64(count()) FROM ({{owed_copies}})
