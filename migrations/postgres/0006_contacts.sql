-- What a member wrote stays, whatever the messenger says.
ALTER TABLE contacts ADD COLUMN named_by_member BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE contacts ADD COLUMN phone_by_member BOOLEAN NOT NULL DEFAULT FALSE;

-- What clients are found by: folded words and digits, made by one function (`hub_domain::terms`). Terms are
-- compared byte by byte, as the embedded engine does.
CREATE TABLE contact_terms (
    contact_id BIGINT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    term TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (contact_id, term)
);
CREATE INDEX contact_terms_term ON contact_terms (company_id, term, contact_id);
