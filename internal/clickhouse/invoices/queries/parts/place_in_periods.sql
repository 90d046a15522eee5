arrayStringConcat([month, toString(toUnixTimestamp64Milli(period_start))], '\n')
