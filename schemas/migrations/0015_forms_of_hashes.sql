-- Which columns are in the hash of an invoice: those of its form (schemas/tables). A
-- column that headers or lines gain is a new form, and what was sealed before keeps
-- its own. All that was hashed until now is of form 1.
ALTER TABLE invoice_hashes{{.OnCluster}} ADD COLUMN IF NOT EXISTS form UInt8 DEFAULT 1
    COMMENT 'by which list of columns the hash was made';
