-- Saved answers of a company. A deleted one stays as a mark, so that whoever comes back learns of it.
CREATE TABLE quick_replies (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    -- Key in our files; all four or none.
    file_key TEXT,
    file_name TEXT,
    file_mime_type TEXT,
    file_size_bytes BIGINT,
    author_member_id BIGINT NOT NULL REFERENCES members (id),
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX quick_replies_company ON quick_replies (company_id, id);

-- What members have begun to write, for their other devices. Nobody else sees it.
CREATE TABLE drafts (
    member_id BIGINT NOT NULL REFERENCES members (id),
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    text TEXT NOT NULL,
    note TEXT NOT NULL,
    reply_to_message_id BIGINT,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, conversation_id)
) WITHOUT ROWID;
