-- Half of the threads that a query takes.
SELECT toInt64(greatest(1, intDiv(getSetting('max_threads'), 2)))
