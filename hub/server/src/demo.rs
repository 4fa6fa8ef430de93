//! `uzel demo`: the product with an invented company, for whoever wants to see it work before connecting anything.
//!
//! It owns the sample company, its past and its clients. Nothing of it is a second way into the product: the past is
//! played through the same drivers, actions and delivery engine that serve everybody else, only under a clock that
//! stands in those days; the clients write to a simulated messenger over real HTTP. Development builds only.

mod clients;
mod history;
mod media;
mod story;
mod visitors;

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use hub_domain::{Clock as _, CompanyId, Role, SystemClock, phone};
use hub_store::Store;
use simulator::telegram::BotSpec;
use simulator::{Options, Simulator};
use tokio::net::TcpListener;

use crate::actions::bootstrap::{Bootstrap, bootstrap};
use crate::actions::set_up::{add_member, find_or_create_user};
use crate::actions::sign_in::make_sign_in_link;
use crate::app::{App, AppOptions};
use crate::config::{Config, Role as ServerRole, Synchronous};
use crate::error::ApiError;
use crate::files::StoredFile;
use crate::start;
use story::Story;

/// Tells a folder that a demo made, and may empty, from any other.
const MARKER: &str = "this-is-a-demo";

/// How a demo is wanted.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// Go on with the data of the last time.
    pub keep: bool,
    /// Clients only answer; none writes by itself.
    pub still: bool,
    /// The same number gives the same choices of the clients.
    pub seed: u64,
}

/// Where somebody signs in.
#[derive(Debug)]
pub struct Seat {
    pub name: String,
    pub role: Role,
    pub link: String,
}

/// A running demo.
pub struct Demo {
    pub app: App,
    pub company: String,
    pub seats: Vec<Seat>,
    /// Where the messenger is simulated.
    pub simulator_url: String,
    /// The token of the first bot, for whoever wants to be a client.
    pub bot_token: String,
    /// A page that shows the widget of the sample company.
    pub site: String,
    simulator: Simulator,
}

impl Demo {
    /// Waits until the server has ended.
    pub async fn finished(self) {
        self.app.lifecycle.finished().await;
        self.app.store.close().await;
        self.simulator.stop().await;
    }
}

/// The configuration of a demo: the embedded engines in a folder of its own, whatever else is configured.
pub fn configure(config: &mut Config) {
    config.database.url = String::new().into();
    config.redis.url = String::new().into();
    config.files.url = String::new();
    // A power cut may cost invented data a second.
    config.database.synchronous = Synchronous::Normal;
    config.server.roles = vec![ServerRole::Web, ServerRole::Worker];
    config.demo.banner = true;
}

/// Empties the folder of the last demo unless its data are to be kept, and refuses any other folder.
pub fn prepare_folder(folder: &Path, keep: bool) -> anyhow::Result<()> {
    let marker = folder.join(MARKER);
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    if !is_empty && !marker.exists() {
        anyhow::bail!(
            "{} holds data that are not a demo's; name another folder with --data-dir",
            folder.display()
        );
    }
    if !keep && !is_empty {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&marker, ""))
        .with_context(|| format!("{} cannot be written", folder.display()))
}

/// Makes the company and its past unless they are there, then serves it and lets its clients live.
/// `config` is [`configure`]d; its folder is [`prepare_folder`]ed.
pub async fn start(
    mut config: Config,
    options: DemoOptions,
    listener: TcpListener,
) -> anyhow::Result<Demo> {
    let story = Arc::new(Story::embedded()?);
    let bound = listener.local_addr()?;
    let simulated = Options { ready_bot: None, ..Options::interactive() };
    let simulator = Simulator::start_with("127.0.0.1:0", simulated).await?;
    config.providers.telegram.api_url = simulator.base_url();
    let cast = clients::Cast::gather(&story, simulator.telegram(), first_number(options.keep));

    let fresh = !config.server.data_dir.join("uzel.sqlite").exists();
    if fresh {
        history::play(&config, bound, &story, &cast, simulator.telegram())
            .await
            .context("the past of the demo cannot be played")?;
    } else {
        cast.meet_again();
    }

    let app = App::open(AppOptions::new(config, bound)).await?;
    app.store.migrate().await?;
    app.lifecycle.follow_signals();
    start::start(&app, Some(listener)).await?;
    cast.live(&app, &story, &options);
    let mut seats = Vec::new();
    for person in &story.people {
        let digits = phone::normalize(&person.phone).context("a phone of the story")?;
        let path = sign_in_path(&app, &digits).await?;
        let link = app.public_link(&path);
        seats.push(Seat { name: person.name.clone(), role: person.role, link });
    }
    let bot_token = cast.first_bot_token();
    let simulator_url = simulator.base_url();
    let (company, site) = (story.company.clone(), app.public_link("/demo/site"));
    Ok(Demo { app, company, seats, simulator_url, bot_token, site, simulator })
}

/// Where the numbers of a messenger that remembers nothing begin, so that they are not those of the last time.
fn first_number(keep: bool) -> i64 {
    let minutes = SystemClock.now().as_millis() / 60_000;
    // A thousand numbers for each minute since a day in 2026; as 32 bits, like the provider's.
    if keep { (minutes - 29_690_000).max(0) * 1000 } else { 0 }
}

async fn sign_in_path(app: &App, digits: &str) -> anyhow::Result<String> {
    let user = app.store.reader().await?.db().user_by_phone(digits).await?;
    let user = user.context("a person of the story is missing")?;
    let hours = app.config.sign_in.link_lifetime_hours;
    let path = app
        .store
        .write_system(move |tx| {
            Box::pin(async move { make_sign_in_link(tx, hours, user.id).await })
        })
        .await;
    path.map_err(|error: ApiError| anyhow::Error::new(error))
}

/// The company with its people; gives its id.
async fn found_company(store: &Store, story: &Story) -> anyhow::Result<CompanyId> {
    let (owner, others) = story.people.split_first().context("nobody works there")?;
    let request = Bootstrap {
        company_name: story.company.clone(),
        phone: owner.phone.clone(),
        name: owner.name.clone(),
    };
    let company = bootstrap(store, 1, request).await?.company.id;
    for person in others {
        let (name, role) = (person.name.clone(), person.role);
        let digits = phone::normalize(&person.phone).context("a phone of the story")?;
        store
            .write(company, move |tx| {
                Box::pin(async move {
                    let user = find_or_create_user(tx, &digits, &name).await?;
                    add_member(tx, user, role).await?;
                    Ok::<_, ApiError>(())
                })
            })
            .await?;
    }
    Ok(company)
}

/// Keeps the bytes of a file that somebody of the story sends.
async fn stored(app: &App, company: CompanyId, bytes: Bytes) -> anyhow::Result<StoredFile> {
    let limit = app.config.files.max_upload_bytes;
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(bytes)]);
    Ok(app.files.put(company, stream, limit, None).await?)
}

/// A bot of the story; the same name is the same account every time.
fn bot_spec(channel: &story::StoryChannel, number: i64, first_number: i64) -> BotSpec {
    let id = 700_100_200 + number;
    BotSpec {
        id: Some(id),
        token: Some(format!("{id}:DEMO-BOT-OF-TOCHKA-ROSTA-{number:010}")),
        first_name: Some(channel.name.clone()),
        username: Some(channel.username.clone()),
        first_number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_folder_of_a_demo_is_emptied() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("demo");
        prepare_folder(&folder, false).expect("a new folder is taken");
        std::fs::write(folder.join("uzel.sqlite"), "old").expect("written");
        prepare_folder(&folder, true).expect("kept");
        assert!(folder.join("uzel.sqlite").exists());
        prepare_folder(&folder, false).expect("emptied");
        assert!(!folder.join("uzel.sqlite").exists());

        let foreign = root.path().join("foreign");
        std::fs::create_dir(&foreign).expect("made");
        std::fs::write(foreign.join("uzel.sqlite"), "dear").expect("written");
        let refusal = prepare_folder(&foreign, false).expect_err("refused").to_string();
        assert!(refusal.contains("--data-dir"), "{refusal}");
        assert!(foreign.join("uzel.sqlite").exists());
    }
}
