-- A deleted channel stays for the sake of its history; its account may be connected again.
ALTER TABLE channels ADD COLUMN deleted_at BIGINT;
DROP INDEX channels_account;
CREATE UNIQUE INDEX channels_account ON channels (kind, external_id) WHERE deleted_at IS NULL;
