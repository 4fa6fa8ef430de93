-- Offset of the event that last changed the company's own row.
ALTER TABLE companies ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
