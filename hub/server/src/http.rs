//! Handlers by resource. Thin: they read the request, call an action or the store, and shape the answer.

pub mod change_conversations;
pub mod channels;
pub mod chat_list;
pub mod companies;
pub mod contacts;
pub mod conversations;
pub mod deliveries;
pub mod demo_site;
pub mod drafts;
pub mod files;
pub mod health;
pub mod members;
pub mod messages;
pub mod openapi;
pub mod preferences;
pub mod profile;
pub mod quick_replies;
pub mod refusals;
pub mod session;
pub mod visitors;
pub mod webhooks;
pub mod widgets;
