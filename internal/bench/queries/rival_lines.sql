CREATE TABLE rival_lines AS invoice_lines
