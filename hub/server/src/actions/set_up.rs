//! The first start: a one-time link, and through it the first company and its administrator.

use hub_domain::company::COMPANY_NAME_LIMIT;
use hub_domain::content::without_nul;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{Company, Member, Role, UserId, phone};
use hub_store::Tx;
use hub_store::records::LinkPurpose;

use super::sign_in::{Opened, open_session};
use crate::app::App;
use crate::auth::{Visitor, token_hash};
use crate::error::{ApiError, Code};
use crate::random;

/// Time zone of a company that names none.
pub const DEFAULT_TIME_ZONE: &str = "Europe/Moscow";
/// Longest name of a person, in characters.
pub const PERSON_NAME_LIMIT: usize = 120;
const TOKEN_LIMIT: usize = 128;

/// The first company and who runs it.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub company_name: String,
    pub name: String,
    pub phone: String,
    pub time_zone: Option<String>,
}

/// Makes a set-up link while there is no company. Returns its address.
pub async fn make_set_up_link(app: &App) -> Result<Option<String>, ApiError> {
    let token = random::token();
    let hash = token_hash(&token);
    let made = app
        .store
        .write_system(move |tx| {
            Box::pin(async move {
                if tx.db().company_count().await? > 0 {
                    return Ok::<_, ApiError>(false);
                }
                let now = tx.now();
                tx.db().insert_one_time_link(&hash, LinkPurpose::SetUp, None, None, now).await?;
                Ok(true)
            })
        })
        .await?;
    Ok(made.then(|| app.public_link(&format!("/setup/{token}"))))
}

/// Whether a link may still be used.
pub async fn link_is_valid(app: &App, visitor: &Visitor, token: &str) -> Result<bool, ApiError> {
    app.limits.secret_tried(visitor.address)?;
    if token.len() > TOKEN_LIMIT {
        return Ok(false);
    }
    let mut reader = app.store.reader().await?;
    let now = app.clock.now();
    Ok(reader.db().one_time_link_is_valid(&token_hash(token), LinkPurpose::SetUp, now).await?)
}

/// Uses the link up: creates the company with its administrator and signs that person in.
pub async fn set_up(
    app: &App,
    visitor: &Visitor,
    token: &str,
    request: SetUp,
) -> Result<Opened, ApiError> {
    app.limits.secret_tried(visitor.address)?;
    let company_name = checked_name(&request.company_name, COMPANY_NAME_LIMIT, "company_name")?;
    let name = checked_name(&request.name, PERSON_NAME_LIMIT, "name")?;
    let digits = phone::normalize(&request.phone);
    let digits = digits.ok_or_else(|| ApiError::new(Code::PhoneInvalid).field("phone"))?;
    let time_zone = request.time_zone.filter(|zone| !zone.is_empty());
    let time_zone = checked_time_zone(time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE))?;
    if token.len() > TOKEN_LIMIT {
        return Err(Code::SetupLinkInvalid.into());
    }
    let hash = token_hash(token);
    let (job_app, visitor) = (app.clone(), visitor.clone());
    app.store
        .write_system(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let used = tx.db().use_one_time_link(&hash, LinkPurpose::SetUp, now).await?;
                used.ok_or(Code::SetupLinkInvalid)?;
                let user = find_or_create_user(tx, &digits, &name).await?;
                create_company(tx, &company_name, &time_zone, user).await?;
                open_session(tx, &job_app, &visitor, user).await
            })
        })
        .await
}

/// A name without what cannot be seen at its ends, or a refusal naming the field.
pub fn checked_name(text: &str, limit: usize, field: &'static str) -> Result<String, ApiError> {
    let name = without_nul(text.trim().to_owned());
    if name.is_empty() || name.chars().count() > limit || name.chars().any(char::is_control) {
        return Err(ApiError::new(Code::NameInvalid).field(field).param("limit", limit));
    }
    Ok(name)
}

/// A name as in the IANA database. Which zones exist is for browsers to know.
pub fn checked_time_zone(text: &str) -> Result<String, ApiError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(ApiError::invalid_field("time_zone", "This is not the name of a time zone."))
    }
}

/// The user of this number, made when there is none.
pub async fn find_or_create_user(
    tx: &mut Tx,
    digits: &str,
    name: &str,
) -> Result<UserId, ApiError> {
    if let Some(user) = tx.db().user_by_phone(digits).await? {
        return Ok(user.id);
    }
    let now = tx.now();
    Ok(tx.db().insert_user(digits, name, now).await?)
}

/// Creates a company whose administrator is `user`, and ends every set-up link: there is a company now.
pub async fn create_company(
    tx: &mut Tx,
    name: &str,
    time_zone: &str,
    user: UserId,
) -> Result<(Company, Member), ApiError> {
    let now = tx.now();
    let epoch = random::short_id();
    let id = tx.db().insert_company(name, time_zone, &epoch, now).await?;
    tx.adopt_company(id, epoch);
    let member = add_member(tx, user, Role::Administrator).await?;
    tx.db().delete_set_up_links().await?;
    let (name, time_zone) = (name.to_owned(), time_zone.to_owned());
    Ok((Company { id, name, time_zone, version: 0, created_at: now }, member))
}

/// Makes `user` a member of the job's company and tells of it.
pub async fn add_member(tx: &mut Tx, user: UserId, role: Role) -> Result<Member, ApiError> {
    let company = tx.company_id()?;
    let (now, version) = (tx.now(), tx.next_offset()?);
    let id = tx.db().insert_member(company, user, role, version, now).await?;
    let missing =
        || hub_store::StoreError::inconsistent(format!("member {id} is missing after its insert"));
    let member = tx.db().member(company, id).await?.ok_or_else(missing)?;
    let changes = Changes { member: Some(member.clone()), ..Changes::default() };
    tx.append(EventType::MemberJoined, Origin::System, None, changes).await?;
    Ok(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(checked_name("  Точка роста ", 120, "name").unwrap(), "Точка роста");
        for bad in ["", "   ", &"я".repeat(121), "a\nb"] {
            assert_eq!(checked_name(bad, 120, "name").unwrap_err().code, Code::NameInvalid);
        }
        assert!(checked_name(&"я".repeat(120), 120, "name").is_ok());
    }

    #[test]
    fn a_time_zone_is_a_name() {
        assert_eq!(checked_time_zone("Asia/Omsk").unwrap(), "Asia/Omsk");
        for bad in ["", "../etc passwd", &"a".repeat(65)] {
            assert!(checked_time_zone(bad).is_err(), "{bad}");
        }
    }
}
