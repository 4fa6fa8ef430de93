-- The tenant and its log. `event_offset` is the offset of the last event; the row is locked by whoever appends.
CREATE TABLE companies (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    epoch TEXT NOT NULL,
    event_offset BIGINT NOT NULL DEFAULT 0,
    -- Events up to and including this offset are gone.
    pruned_offset BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_phone ON users (phone);

CREATE TABLE members (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    user_id BIGINT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL CHECK (role IN ('administrator', 'operator')),
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX members_company_user ON members (company_id, user_id);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    token_hash TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id),
    ip TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_token_hash ON sessions (token_hash);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE sign_in_codes (
    id INTEGER PRIMARY KEY,
    pre_session_hash TEXT NOT NULL,
    phone TEXT NOT NULL,
    code_hmac TEXT NOT NULL,
    tries BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX sign_in_codes_pre_session ON sign_in_codes (pre_session_hash);
CREATE INDEX sign_in_codes_phone ON sign_in_codes (phone, created_at);

CREATE TABLE one_time_links (
    id INTEGER PRIMARY KEY,
    token_hash TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('set_up', 'sign_in')),
    user_id BIGINT REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at BIGINT
);
CREATE UNIQUE INDEX one_time_links_token_hash ON one_time_links (token_hash);

-- Private tokens: found by their hash, kept sealed since the owner may see them again.
CREATE TABLE api_tokens (
    id INTEGER PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    token_hash TEXT NOT NULL,
    token_sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE UNIQUE INDEX api_tokens_token_hash ON api_tokens (token_hash);
CREATE UNIQUE INDEX api_tokens_user ON api_tokens (user_id);

CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    kind TEXT NOT NULL CHECK (kind IN ('telegram_bot', 'telegram_personal', 'whatsapp', 'waba', 'widget')),
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('connecting', 'needs_action', 'enabled', 'limited', 'disabled')),
    state_reason TEXT,
    intake TEXT NOT NULL CHECK (intake IN ('polling', 'webhook')),
    external_id TEXT NOT NULL,
    username TEXT,
    capabilities TEXT NOT NULL,
    secret_sealed TEXT NOT NULL,
    webhook_secret_sealed TEXT NOT NULL,
    poll_cursor TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX channels_account ON channels (kind, external_id);
CREATE INDEX channels_company ON channels (company_id);

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    name TEXT NOT NULL,
    phone TEXT,
    comment TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX contacts_company ON contacts (company_id);

CREATE TABLE contact_identities (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    external_id TEXT NOT NULL,
    -- Where answers go.
    chat_id TEXT NOT NULL,
    username TEXT,
    language TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_identities_channel_external ON contact_identities (channel_id, external_id);
CREATE INDEX contact_identities_contact ON contact_identities (contact_id);

CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    identity_id BIGINT NOT NULL REFERENCES contact_identities (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'archived')),
    assignee_id BIGINT REFERENCES members (id),
    unanswered_count BIGINT NOT NULL DEFAULT 0,
    waiting_since BIGINT,
    activity BIGINT NOT NULL,
    last_incoming_position BIGINT NOT NULL DEFAULT 0,
    -- The preview of the last message as JSON, and its place in the order.
    last_message TEXT,
    last_position BIGINT NOT NULL DEFAULT 0,
    last_ordinal BIGINT NOT NULL DEFAULT 0,
    -- Highest provider ordinal seen, in either direction: a message below it came late.
    max_ordinal BIGINT NOT NULL DEFAULT 0,
    reachable BOOLEAN NOT NULL DEFAULT TRUE CHECK (reachable IN (FALSE, TRUE)),
    reachable_at BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX conversations_identity ON conversations (identity_id);
CREATE INDEX conversations_activity ON conversations (company_id, activity);
CREATE INDEX conversations_state ON conversations (company_id, state, activity);
CREATE INDEX conversations_channel ON conversations (company_id, channel_id, activity);
CREATE INDEX conversations_assignee ON conversations (company_id, assignee_id, activity) WHERE state = 'open';
-- `state` leads, though one would do: SQLite would otherwise take conversations_state, which knows more of the filter's columns.
CREATE INDEX conversations_unanswered ON conversations (company_id, state, activity) WHERE unanswered_count > 0;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    direction TEXT NOT NULL CHECK (direction IN ('incoming', 'outgoing', 'system', 'note')),
    author_member_id BIGINT REFERENCES members (id),
    client_message_id TEXT,
    -- Fingerprint of the intention, so that one client_message_id never stands for two.
    intention_hash TEXT,
    external_id TEXT,
    content TEXT NOT NULL,
    album_id TEXT,
    reply_to_external_id TEXT,
    reply_to_message_id BIGINT,
    reply_to_text TEXT,
    forwarded_from TEXT,
    reactions TEXT NOT NULL DEFAULT '[]',
    reactions_at BIGINT NOT NULL DEFAULT 0,
    status TEXT CHECK (status IN ('queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown')),
    failure_code TEXT,
    failure_detail TEXT,
    retry_at BIGINT,
    "position" BIGINT NOT NULL,
    ordinal BIGINT NOT NULL DEFAULT 0,
    sent_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT,
    -- The provider's payload, where we cannot show all of it.
    raw TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX messages_channel_external ON messages (channel_id, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX messages_client_message_id ON messages (company_id, client_message_id) WHERE client_message_id IS NOT NULL;
CREATE INDEX messages_conversation ON messages (conversation_id, "position", ordinal, id);
CREATE INDEX messages_ordinal ON messages (conversation_id, ordinal) WHERE ordinal > 0;

CREATE TABLE attachments (
    id INTEGER PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    message_id BIGINT REFERENCES messages (id),
    -- Place among the files of one message, from 0.
    place BIGINT NOT NULL DEFAULT 0,
    uploaded_by BIGINT REFERENCES members (id),
    kind TEXT NOT NULL CHECK (kind IN ('photo', 'video', 'video_note', 'animation', 'voice', 'audio', 'sticker', 'document')),
    state TEXT NOT NULL CHECK (state IN ('pending', 'ready', 'unavailable')),
    failure TEXT,
    -- Key in our files.
    file_key TEXT,
    -- What the driver needs to fetch it.
    file_ref TEXT,
    file_name TEXT,
    mime_type TEXT,
    size_bytes BIGINT,
    width BIGINT,
    height BIGINT,
    duration_seconds BIGINT,
    emoji TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX attachments_message ON attachments (message_id, place);

-- What a provider sent and we could not read or apply: kept, so that nothing is lost.
CREATE TABLE raw_updates (
    id INTEGER PRIMARY KEY,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    reason TEXT NOT NULL,
    body TEXT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX raw_updates_received_at ON raw_updates (received_at);

CREATE TABLE events (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    "offset" BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    -- NULL: about the company, for every member.
    channel_id BIGINT,
    at BIGINT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (company_id, "offset")
) WITHOUT ROWID;

CREATE TABLE read_markers (
    member_id BIGINT NOT NULL REFERENCES members (id),
    conversation_id BIGINT NOT NULL REFERENCES conversations (id),
    "position" BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (member_id, conversation_id)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    -- NULL: of the installation (a sign-in code).
    company_id BIGINT REFERENCES companies (id),
    kind TEXT NOT NULL CHECK (kind IN ('send_message', 'edit_message', 'delete_message', 'fetch_attachment', 'answer_button', 'configure_channel', 'send_sign_in_code')),
    -- Strict order within a lane.
    lane TEXT NOT NULL,
    -- What is rate-limited and paused as one.
    target TEXT NOT NULL,
    -- The message, attachment or channel it is about.
    subject_id BIGINT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'in_flight', 'done', 'dead', 'unknown', 'cancelled')),
    attempts BIGINT NOT NULL DEFAULT 0,
    not_before BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    error_code TEXT,
    error_detail TEXT,
    created_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX deliveries_lane ON deliveries (lane, id) WHERE state IN ('pending', 'in_flight');
CREATE INDEX deliveries_due ON deliveries (not_before, id) WHERE state = 'pending';
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'in_flight';
CREATE INDEX deliveries_subject ON deliveries (subject_id, kind);
CREATE INDEX deliveries_company_state ON deliveries (company_id, state, id);

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    delivery_id BIGINT NOT NULL REFERENCES deliveries (id),
    number BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    -- NULL while it is open.
    outcome TEXT CHECK (outcome IN ('done', 'retry', 'refused', 'unknown')),
    error_code TEXT,
    error_detail TEXT,
    retry_at BIGINT
);
CREATE UNIQUE INDEX attempts_delivery_number ON attempts (delivery_id, number);

-- Pace and pauses of what deliveries go to.
CREATE TABLE targets (
    target TEXT PRIMARY KEY,
    paused_until BIGINT NOT NULL DEFAULT 0,
    -- When the next delivery fits into the allowed rate.
    next_free_at BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Who does what only one node may do at a time.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    -- Grows with each change of the owner: a write by a former owner is refused by it.
    fence BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) WITHOUT ROWID;
