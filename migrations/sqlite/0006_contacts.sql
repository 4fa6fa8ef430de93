-- What a member wrote stays, whatever the messenger says.
ALTER TABLE contacts ADD COLUMN named_by_member BOOLEAN NOT NULL DEFAULT FALSE CHECK (named_by_member IN (FALSE, TRUE));
ALTER TABLE contacts ADD COLUMN phone_by_member BOOLEAN NOT NULL DEFAULT FALSE CHECK (phone_by_member IN (FALSE, TRUE));

-- What clients are found by: folded words and digits, made by one function (`hub_domain::terms`).
CREATE TABLE contact_terms (
    contact_id BIGINT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    company_id BIGINT NOT NULL REFERENCES companies (id),
    term TEXT NOT NULL,
    PRIMARY KEY (contact_id, term)
) WITHOUT ROWID;
CREATE INDEX contact_terms_term ON contact_terms (company_id, term, contact_id);
