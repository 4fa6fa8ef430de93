//! Contacts: what members write on a client's card, and the terms a client is found by.
//!
//! The terms are made in Rust by one rule (`hub_domain::terms`) and written by [`index_contacts`] alone:
//! whoever adds or changes a contact calls it in the same transaction.

use std::collections::{BTreeMap, HashSet};

use hub_domain::terms::{self, Findable};
use hub_domain::{CompanyId, ContactId, Conversation, Scope};
use sqlx::AssertSqlSafe;

use super::conversations::{self, ConversationRow, visible};
use super::{Conn, dialect};
use crate::StoreError;
use crate::given::{GivenTerm, columns};
use crate::records::{ContactHits, ContactRecord, ContactSearch, UnindexedContact};

pub async fn contact(
    conn: &mut Conn,
    company: CompanyId,
    id: ContactId,
) -> Result<Option<ContactRecord>, StoreError> {
    Ok(sqlx::query_as(
        "SELECT id, name, named_by_member, phone, phone_by_member, comment FROM contacts
         WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(id.0)
    .fetch_optional(conn)
    .await?)
}

pub async fn save_contact(
    conn: &mut Conn,
    company: CompanyId,
    contact: &ContactRecord,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE contacts SET name = $3, named_by_member = $4, phone = $5, phone_by_member = $6,
             comment = $7
         WHERE company_id = $1 AND id = $2",
    )
    .bind(company.0)
    .bind(contact.id)
    .bind(&contact.name)
    .bind(contact.named_by_member)
    .bind(&contact.phone)
    .bind(contact.phone_by_member)
    .bind(&contact.comment)
    .execute(&mut *conn)
    .await?;
    index_contacts(conn, &[contact.id]).await
}

/// The member's conversations with these contacts.
pub async fn conversations_of_contacts(
    conn: &mut Conn,
    scope: &Scope,
    ids: &[i64],
) -> Result<Vec<Conversation>, StoreError> {
    let (all, channels) = visible(scope);
    // Through the identities, which are found by their contact; conversations are not.
    let sql = format!(
        "SELECT {columns} FROM contact_identities i JOIN contacts p ON p.id = i.contact_id
         JOIN conversations c ON c.identity_id = i.id
         WHERE i.contact_id {of_contacts} AND c.company_id = $1 AND ($3 OR c.channel_id {in_channels})
         ORDER BY c.activity DESC",
        columns = conversations::COLUMNS,
        of_contacts = dialect::in_ids(2),
        in_channels = dialect::in_ids(4),
    );
    let rows: Vec<ConversationRow> = sqlx::query_as(AssertSqlSafe(sql))
        .bind(scope.company_id.0)
        .bind(dialect::ids(ids))
        .bind(all)
        .bind(dialect::ids(&channels))
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(Conversation::try_from).collect()
}

/// Contacts with this phone, at most `limit`. A whole number is one of their terms.
pub async fn contacts_with_phone(
    conn: &mut Conn,
    company: CompanyId,
    phone: &str,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT p.id FROM contact_terms t JOIN contacts p ON p.id = t.contact_id
         WHERE t.company_id = $1 AND t.term = $2 AND p.phone = $2 ORDER BY p.id LIMIT $3",
    )
    .bind(company.0)
    .bind(phone)
    .bind(limit)
    .fetch_all(conn)
    .await?)
}

/// How far the clients of a word are counted: beyond it, it is a frequent one.
const FREQUENT: i64 = 2000;

/// The word that the fewest clients have: it leads, and the others are looked up for what it finds.
async fn rarest(
    conn: &mut Conn,
    company: CompanyId,
    terms: &[String],
) -> Result<usize, StoreError> {
    let mut best = (0, i64::MAX);
    for (place, term) in terms.iter().enumerate() {
        if terms.len() == 1 {
            break;
        }
        let count: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM (SELECT 1 FROM contact_terms
                 WHERE company_id = $1 AND term >= $2 AND term < $3 LIMIT $4) AS r",
        )
        .bind(company.0)
        .bind(term)
        .bind(terms::end_of(term))
        .bind(FREQUENT)
        .fetch_one(&mut *conn)
        .await?;
        if count < best.1 {
            best = (place, count);
        }
    }
    Ok(best.0)
}

pub async fn search_contacts(
    conn: &mut Conn,
    scope: &Scope,
    search: &ContactSearch,
) -> Result<ContactHits, StoreError> {
    let terms = &search.terms;
    let lead = match &search.after {
        Some((lead, _)) => *lead,
        None => rarest(conn, scope.company_id, terms).await?,
    };
    let Some(first) = terms.get(lead) else { return Ok(ContactHits::default()) };
    let others = || terms.iter().enumerate().filter(|(place, _)| *place != lead);
    let (all, channels) = visible(scope);
    // A client whom the leading word finds twice counts once, by the first of the two terms.
    let mut sql = format!(
        "SELECT t.term, t.contact_id FROM contact_terms t
         WHERE t.company_id = $1 AND t.term >= $2 AND t.term < $3 AND (t.term, t.contact_id) > ($4, $5)
           AND NOT EXISTS (SELECT 1 FROM contact_terms b
               WHERE b.contact_id = t.contact_id AND b.term >= $2 AND b.term < t.term)
           AND ($6 OR EXISTS (SELECT 1 FROM contact_identities w
               WHERE w.contact_id = t.contact_id AND w.channel_id {in_channels}))",
        in_channels = dialect::in_ids(7),
    );
    for (n, _) in others().enumerate() {
        use std::fmt::Write as _;
        let (from, to) = (9 + 2 * n, 10 + 2 * n);
        let _ = write!(
            sql,
            " AND EXISTS (SELECT 1 FROM contact_terms o
                 WHERE o.contact_id = t.contact_id AND o.term >= ${from} AND o.term < ${to})"
        );
    }
    sql.push_str(" ORDER BY t.term, t.contact_id LIMIT $8");
    let (after_term, after_contact) =
        search.after.as_ref().map_or(("", 0), |(_, hit)| (hit.term.as_str(), hit.contact_id));
    let mut query = sqlx::query_as(AssertSqlSafe(sql))
        .bind(scope.company_id.0)
        .bind(first)
        .bind(terms::end_of(first))
        .bind(after_term)
        .bind(after_contact)
        .bind(all)
        .bind(dialect::ids(&channels))
        .bind(search.limit);
    for (_, other) in others() {
        query = query.bind(other).bind(terms::end_of(other));
    }
    Ok(ContactHits { lead, hits: query.fetch_all(conn).await? })
}

#[derive(sqlx::FromRow)]
struct FindableRow {
    id: i64,
    company_id: i64,
    name: String,
    phone: Option<String>,
    comment: String,
    username: Option<String>,
    visitor_phone: Option<String>,
    visitor_email: Option<String>,
}

/// Writes the terms of these contacts anew.
pub async fn index_contacts(conn: &mut Conn, ids: &[i64]) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT p.id, p.company_id, p.name, p.phone, p.comment, i.username, v.phone AS visitor_phone,
             v.email AS visitor_email
         FROM contacts p LEFT JOIN contact_identities i ON i.contact_id = p.id
         LEFT JOIN widget_visitors v ON v.channel_id = i.channel_id AND v.visitor_id = i.external_id
         WHERE p.id {} ORDER BY i.id",
        dialect::in_ids(1)
    );
    let rows: Vec<FindableRow> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(dialect::ids(ids)).fetch_all(&mut *conn).await?;
    // One row an identity: the phones and addresses of all of them are the contact's.
    let mut known: BTreeMap<i64, (Vec<String>, String)> = BTreeMap::new();
    for row in &rows {
        let (phones, addresses) = known.entry(row.id).or_default();
        phones.extend(row.phone.iter().chain(&row.visitor_phone).cloned());
        for address in row.username.iter().chain(&row.visitor_email) {
            addresses.push(' ');
            addresses.push_str(address);
        }
    }
    let mut found = Vec::new();
    for row in &rows {
        let Some((phones, addresses)) = known.remove(&row.id) else { continue };
        let terms = terms::terms(&Findable {
            name: &row.name,
            phones: &phones,
            addresses: &addresses,
            comment: &row.comment,
        });
        found.push((row.id, row.company_id, terms));
    }
    let sql = format!("DELETE FROM contact_terms WHERE contact_id {}", dialect::in_ids(1));
    sqlx::query(AssertSqlSafe(sql)).bind(dialect::ids(ids)).execute(&mut *conn).await?;
    let given: Vec<GivenTerm<'_>> = found
        .iter()
        .flat_map(|(contact_id, company_id, terms)| {
            terms.iter().map(|term| GivenTerm {
                contact_id: *contact_id,
                company_id: *company_id,
                term,
            })
        })
        .collect();
    dialect::execute_given(conn, &given, |source| {
        format!(
            "INSERT INTO contact_terms ({}) SELECT {} FROM {source}",
            columns::<GivenTerm<'_>>(str::to_owned),
            columns::<GivenTerm<'_>>(|name| format!("r.{name}")),
        )
    })
    .await?;
    Ok(())
}

/// Contacts behind `after`, at most `limit`, by id, and whether they have terms.
pub async fn contacts_to_index(
    conn: &mut Conn,
    after: i64,
    limit: i64,
) -> Result<Vec<UnindexedContact>, StoreError> {
    let contacts: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT p.id, p.company_id FROM contacts p WHERE p.id > $1 ORDER BY p.id LIMIT $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    let ids: Vec<i64> = contacts.iter().map(|(id, _)| *id).collect();
    let sql = format!(
        "SELECT DISTINCT contact_id FROM contact_terms WHERE contact_id {}",
        dialect::in_ids(1)
    );
    let indexed: Vec<i64> =
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(dialect::ids(&ids)).fetch_all(conn).await?;
    let indexed: HashSet<i64> = indexed.into_iter().collect();
    Ok(contacts
        .into_iter()
        .map(|(id, company_id)| UnindexedContact { id, company_id, indexed: indexed.contains(&id) })
        .collect())
}
