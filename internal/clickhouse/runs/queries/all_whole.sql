-- Whether all invoices of a run are whole, told by sums: each line counts the number that
-- stands for its invoice, each header as often as it has lines; and no line is there twice.
-- It takes a tenth of what looking at each takes (lacking.sql), which is for when this does
-- not hold: a run that two runners carried out has rows twice, and those that a broken
-- attempt left of a parked account have no header.
SELECT
    (SELECT sum(toUInt64(lines) * cityHash64(code)) FROM invoices WHERE run = {run:Int64})
        = (SELECT sum(cityHash64(invoice_code)) FROM invoice_lines WHERE run = {run:Int64})
    AND (SELECT sum(cityHash64(code)) FROM invoices WHERE run = {run:Int64})
        = (SELECT sum(cityHash64(code)) FROM invoice_hashes WHERE run = {run:Int64})
    AND (SELECT count() = uniqExact(cityHash64(invoice_code, period_start, position, item, coupon_code, line_number)) FROM invoice_lines WHERE run = {run:Int64})
