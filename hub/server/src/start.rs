//! Starting what the roles of a process ask for, in the order in which the parts need each other.

use tokio::net::TcpListener;

use crate::actions::set_up;
use crate::app::App;
use crate::background::index_contacts::ContactIndexer;
use crate::background::poll::Poller;
use crate::background::prune::Pruner;
use crate::config::Role;
use crate::delivery::{Engine, EngineParts};
use crate::{listen, router, tidy};

/// Starts everything on a database that is migrated. `listener`: where the web role answers.
pub async fn start(app: &App, listener: Option<TcpListener>) -> anyhow::Result<()> {
    tidy::start(app);
    app.start_realtime();
    if app.config.server.has_role(Role::Worker) {
        start_worker(app);
    }
    if let Some(listener) = listener {
        if let Some(link) = set_up::make_set_up_link(app).await? {
            tracing::info!(link, "open this one-time link to set up the first company");
        }
        let address = listener.local_addr()?;
        let serving = listen::serve(listener, router::router(app.clone()), app.lifecycle.clone());
        app.lifecycle.spawn("listener", serving);
        tracing::info!(address = %address, "listening");
    }
    Ok(())
}

/// The delivery engine, polling, cleaning up, making clients findable.
fn start_worker(app: &App) {
    let engine = Engine::new(EngineParts {
        store: app.store.clone(),
        drivers: app.drivers.clone(),
        files: app.files.clone(),
        gateways: app.gateways.clone(),
        bus: app.bus.clone(),
        config: app.config.delivery.clone(),
        public_url: app.public_url().clone(),
        max_file_bytes: app.config.files.max_upload_bytes,
        node: app.node.clone(),
    });
    engine.start(&app.lifecycle);
    let polling = &app.config.polling;
    Poller::new(app.store.clone(), app.drivers.clone(), &app.node, polling).start(&app.lifecycle);
    ContactIndexer::default().start(app.store.clone(), app.node.clone(), &app.lifecycle);
    let pruner = Pruner { keep_event_days: app.config.events.keep_days };
    pruner.start(app.store.clone(), app.files.clone(), app.node.clone(), &app.lifecycle);
}
