SELECT {{columns_of_invoices}}
FROM invoices FINAL
WHERE month = {month:String} AND code = {code:String}
