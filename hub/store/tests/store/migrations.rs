//! Two sets of migrations, one schema.

use std::collections::BTreeMap;
use std::path::Path;

use crate::harness::{TestStore, on_both_engines};

fn names(engine: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(engine);
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn migrations_of_both_engines_have_equal_numbers_and_names() {
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
}

/// What SQLite declares, in the words of PostgreSQL.
fn plain_type(declared: &str) -> String {
    match declared {
        "INTEGER" | "BIGINT" => "bigint",
        "TEXT" => "text",
        "BOOLEAN" => "boolean",
        other => other,
    }
    .to_owned()
}

/// `table.column type null-or-not` of every table.
async fn columns(store: &TestStore) -> Vec<String> {
    let sql = if store.is_postgres() {
        "SELECT table_name || '.' || column_name || ' ' || data_type || ' '
             || CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'not null' END
         FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'"
    } else {
        "SELECT t.name || '.' || c.name || ' ' || c.type || ' '
             || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN 'not null' ELSE 'null' END
         FROM sqlite_master t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND t.name NOT LIKE 'sqlite%'"
    };
    let mut columns: Vec<String> = store
        .texts(sql)
        .await
        .into_iter()
        .map(|line| {
            let mut words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
            words[1] = plain_type(&words[1]);
            words.join(" ")
        })
        .collect();
    columns.sort();
    columns
}

/// The indexes a migration names, with their columns' and conditions' words, engine's spelling taken out.
async fn indexes(store: &TestStore) -> BTreeMap<String, bool> {
    let sql = if store.is_postgres() {
        "SELECT indexname || ' ' || indexdef FROM pg_indexes
         WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%' AND indexname NOT LIKE '%\\_pkey'"
    } else {
        "SELECT name || ' ' || sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    };
    store
        .texts(sql)
        .await
        .into_iter()
        .map(|line| {
            let name = line.split(' ').next().unwrap().to_owned();
            (name, line.contains("UNIQUE"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_of_both_engines_lead_to_equal_tables_columns_and_indexes() {
    let (sqlite, postgres) = (TestStore::on_sqlite().await, TestStore::on_postgres().await);
    let found = columns(&sqlite).await;
    assert!(found.len() > 100, "{found:#?}");
    assert_eq!(found, columns(&postgres).await);
    let found = indexes(&sqlite).await;
    assert!(found.len() > 20, "{found:#?}");
    assert_eq!(found, indexes(&postgres).await);
}

on_both_engines! {
    async fn a_migrated_database_has_nothing_pending_and_migrating_again_changes_nothing(store: TestStore) {
        assert_eq!(store.pending_migrations().await.unwrap(), Vec::<String>::new());
        let company = store.company("stays").await;
        store.migrate().await.unwrap();
        let mut reader = store.reader().await.unwrap();
        assert_eq!(reader.db().company(company).await.unwrap().unwrap().name, "stays");
    }
}

#[tokio::test]
async fn a_new_database_tells_which_migrations_it_waits_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("new.db").display());
    let clock = std::sync::Arc::new(hub_domain::SystemClock);
    let options = hub_store::StoreOptions::new(url);
    let store =
        hub_store::Store::open(&options, crate::harness::test_vault(), clock).await.unwrap();
    let expected: Vec<String> =
        names("sqlite").iter().map(|name| name.trim_end_matches(".sql").to_owned()).collect();
    assert_eq!(store.pending_migrations().await.unwrap(), expected);
}
