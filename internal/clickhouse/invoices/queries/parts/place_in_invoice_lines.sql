arrayStringConcat([month, toString(toUnixTimestamp64Milli(period_start)), toString(position), invoice_code, item, coupon_code, toString(line_number)], '\n')
