-- How a site widget looks and behaves; a widget without a row is as the defaults are.
CREATE TABLE widgets (
    channel_id BIGINT PRIMARY KEY REFERENCES channels (id) ON DELETE CASCADE,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    settings TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

-- Visitors who have written, with what is known of them beside their identity.
CREATE TABLE widget_visitors (
    channel_id BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    -- `external_id` of the identity.
    visitor_id TEXT NOT NULL,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    -- What the visitor is called while nothing else is known.
    number BIGINT NOT NULL,
    -- The site's own id of its user, when the site vouches for it.
    user_id TEXT,
    name TEXT,
    phone TEXT,
    email TEXT,
    page_url TEXT,
    page_title TEXT,
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (channel_id, visitor_id)
);
CREATE UNIQUE INDEX widget_visitors_company_number ON widget_visitors (company_id, number);
