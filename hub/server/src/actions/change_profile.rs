//! A user changes what colleagues see of them.

use hub_domain::event::{Changes, EventType, Origin};
use hub_domain::{Member, UserId};

use super::set_up::{PERSON_NAME_LIMIT, checked_name};
use crate::app::App;
use crate::error::ApiError;

/// Gives the user another name, and tells every company the user is in. Each company has a log of its
/// own, so each is a transaction of its own; the name itself stands in one place and is the same
/// everywhere from the first of them on.
pub async fn change_name(app: &App, user: UserId, name: &str) -> Result<String, ApiError> {
    let name = checked_name(name, PERSON_NAME_LIMIT, "name")?;
    let places = app.store.reader().await?.db().memberships(user).await?;
    if places.is_empty() {
        let name = name.clone();
        app.store
            .write_system(move |tx| {
                Box::pin(
                    async move { Ok::<_, ApiError>(tx.db().save_user_name(user, &name).await?) },
                )
            })
            .await?;
    }
    for (company, _) in places {
        let name = name.clone();
        app.store
            .write(company.id, move |tx| {
                Box::pin(async move {
                    let Some(member) = tx.db().member_of_user(company.id, user).await? else {
                        return Ok::<_, ApiError>(());
                    };
                    let origin = Origin::Member { member_id: member.id };
                    let member = Some(Member { name, ..member });
                    let changes = Changes { member, ..Changes::default() };
                    tx.append(EventType::MemberChanged, origin, None, changes).await?;
                    Ok(())
                })
            })
            .await?;
    }
    Ok(name)
}
