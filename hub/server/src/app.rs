//! The long-lived parts of the process, built once and shared by everything that answers or works.

use std::sync::Arc;

use hub_domain::Clock;

use crate::config::Config;
use crate::keys::MasterKey;
use crate::lifecycle::Lifecycle;

/// Cheap to clone; every clone is the same application.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Parts>,
}

#[derive(Debug)]
pub struct Parts {
    pub config: Config,
    pub clock: Arc<dyn Clock>,
    pub lifecycle: Lifecycle,
    pub master_key: MasterKey,
}

impl App {
    pub fn new(parts: Parts) -> Self {
        Self { inner: Arc::new(parts) }
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.inner
    }
}
