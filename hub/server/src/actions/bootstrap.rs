//! Scripted installs: a company, its administrator, that person's private token and a sign-in link.
//! Running it again changes nothing but the link.

use hub_domain::company::COMPANY_NAME_LIMIT;
use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{Company, Member, Role, UserId, phone};
use hub_store::{Store, Tx, Vault};
use secrecy::SecretString;

use super::private_token::{TOKEN_PURPOSE, new_private_token};
use super::set_up::{
    DEFAULT_TIME_ZONE, add_member, checked_name, create_company, find_or_create_user,
};
use super::sign_in::make_sign_in_link;
use crate::error::{ApiError, Code};

/// Who is to be there afterwards.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    pub company_name: String,
    pub phone: String,
    /// Of the administrator, when the person is new.
    pub name: String,
}

#[derive(Debug)]
pub struct Bootstrapped {
    pub company: Company,
    pub user_id: UserId,
    pub phone: String,
    pub private_token: SecretString,
    /// Path of the one-time link.
    pub sign_in_path: String,
}

/// Makes sure that the company and its administrator exist.
pub async fn bootstrap(
    store: &Store,
    link_lifetime_hours: u32,
    request: Bootstrap,
) -> Result<Bootstrapped, ApiError> {
    let company_name = checked_name(&request.company_name, COMPANY_NAME_LIMIT, "company")?;
    let name = checked_name(&request.name, COMPANY_NAME_LIMIT, "name")?;
    let digits = phone::normalize(&request.phone);
    let digits = digits.ok_or_else(|| ApiError::new(Code::PhoneInvalid).field("phone"))?;
    let existing = store.reader().await?.db().company_by_name(&company_name).await?;
    let wanted = Wanted {
        company: existing.clone(),
        company_name,
        name,
        digits,
        link_lifetime_hours,
        vault: store.vault().clone(),
    };
    match existing {
        Some(company) => {
            store
                .write(company.id, move |tx| Box::pin(async move { wanted.ensure(tx).await }))
                .await
        }
        None => {
            store.write_system(move |tx| Box::pin(async move { wanted.ensure(tx).await })).await
        }
    }
}

struct Wanted {
    company: Option<Company>,
    company_name: String,
    name: String,
    digits: String,
    link_lifetime_hours: u32,
    vault: Vault,
}

impl Wanted {
    async fn ensure(self, tx: &mut Tx) -> Result<Bootstrapped, ApiError> {
        let user = find_or_create_user(tx, &self.digits, &self.name).await?;
        let company = match self.company {
            Some(company) => {
                ensure_administrator(tx, user).await?;
                company
            }
            None => create_company(tx, &self.company_name, DEFAULT_TIME_ZONE, user).await?.0,
        };
        let private_token = ensure_private_token(tx, &self.vault, user).await?;
        let sign_in_path = make_sign_in_link(tx, self.link_lifetime_hours, user).await?;
        Ok(Bootstrapped { company, user_id: user, phone: self.digits, private_token, sign_in_path })
    }
}

async fn ensure_administrator(tx: &mut Tx, user: UserId) -> Result<(), ApiError> {
    let company = tx.company_id()?;
    match tx.db().member_of_user(company, user).await? {
        None => {
            add_member(tx, user, Role::Administrator).await?;
        }
        Some(member) if member.role != Role::Administrator => {
            let member = Member { role: Role::Administrator, ..member };
            let changes = Changes { member: Some(member), ..Changes::default() };
            tx.append(EventType::MemberChanged, Origin::System, None, changes).await?;
        }
        Some(_) => {}
    }
    Ok(())
}

/// The user's private token, made when there is none.
async fn ensure_private_token(
    tx: &mut Tx,
    vault: &Vault,
    user: UserId,
) -> Result<SecretString, ApiError> {
    match tx.db().api_token(user).await? {
        Some(token) => Ok(vault.open(TOKEN_PURPOSE, &token.token_sealed)?),
        None => Ok(new_private_token(tx, vault, user).await?),
    }
}
