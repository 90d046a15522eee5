-- LIGHTWEIGHT: until it has the parts; merging them is its own affair.
SYSTEM SYNC REPLICA {table:Identifier} LIGHTWEIGHT
