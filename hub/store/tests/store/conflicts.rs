//! Each rule of uniqueness refuses a second row, and says which rule it was.

use hub_store::StoreError;

use crate::harness::{TestStore, incoming, new_channel, on_both_engines};

/// Copies a row of `table` but for its id, so that only the rule in question can refuse it.
async fn copy(store: &TestStore, table: &str) -> String {
    let sql = if store.is_postgres() {
        format!(
            "SELECT string_agg('\"' || column_name || '\"', ', ') FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{table}' AND is_identity = 'NO'"
        )
    } else {
        format!(
            "SELECT group_concat('\"' || name || '\"', ', ') FROM pragma_table_info('{table}')
             WHERE type <> 'INTEGER'"
        )
    };
    let columns = store.texts(sql).await.remove(0);
    format!("INSERT INTO \"{table}\" ({columns}) SELECT {columns} FROM \"{table}\" LIMIT 1")
}

async fn fill(store: &TestStore) {
    let office = store.office("a").await;
    let mut message = incoming(office.channel, "kate", 1);
    message.message.attachments = vec![crate::harness::photo(1)];
    let (_, conversation) = store.take(office.company, message).await;
    for sql in [
        "UPDATE messages SET client_message_id = 'mine'".to_owned(),
        "INSERT INTO sessions (token_hash, user_id, ip, user_agent, created_at, last_seen_at, expires_at)
         SELECT 'hash', id, '', '', 0, 0, 0 FROM users".to_owned(),
        "INSERT INTO one_time_links (token_hash, purpose, created_at) VALUES ('hash', 'set_up', 0)".to_owned(),
        "INSERT INTO api_tokens (user_id, token_hash, token_sealed, created_at)
         SELECT id, 'hash', '', 0 FROM users".to_owned(),
        format!(
            "INSERT INTO read_markers (member_id, conversation_id, \"position\", version)
             VALUES ({}, {conversation}, 0, 0)",
            office.member
        ),
        "INSERT INTO attempts (delivery_id, number, started_at) SELECT id, 1, 0 FROM deliveries".to_owned(),
        format!(
            "INSERT INTO widget_visitors (channel_id, visitor_id, company_id, number, user_agent,
                 created_at, changed_at)
             VALUES ({}, 'visitor', {}, 1, '', 0, 0)",
            office.channel, office.company
        ),
        "INSERT INTO targets (target) VALUES ('t')".to_owned(),
        "INSERT INTO leases (name, owner, fence, expires_at) VALUES ('l', 'o', 1, 0)".to_owned(),
    ] {
        store.execute(sql).await;
    }
}

/// Tables and the rules of uniqueness that stand on them.
async fn rules(store: &TestStore) -> Vec<(String, String)> {
    let sql = if store.is_postgres() {
        "SELECT tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = 'public'
         AND indexdef LIKE '%UNIQUE%' AND tablename NOT LIKE '\\_sqlx%' ORDER BY 1"
    } else {
        "SELECT tbl_name || ' ' || name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%UNIQUE%'
         UNION ALL SELECT name || ' ' || name || '_pkey' FROM sqlite_master
         WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY 1"
    };
    let pairs = store.texts(sql).await.into_iter();
    pairs
        .map(|line| line.split_once(' ').map(|(t, n)| (t.to_owned(), n.to_owned())).unwrap())
        .filter(|(table, rule)| {
            // Ids are made by the engine, and never given.
            !rule.ends_with("_pkey")
                || matches!(table.as_str(), "events" | "read_markers" | "targets" | "leases")
        })
        .collect()
}

on_both_engines! {
    async fn every_rule_of_uniqueness_refuses_a_second_row(store: TestStore) {
        fill(&store).await;
        let rules = rules(&store).await;
        assert!(rules.len() >= 15, "{rules:#?}");
        let mut tables: Vec<&String> = rules.iter().map(|(table, _)| table).collect();
        tables.dedup();
        for table in tables {
            let sql = copy(&store, table).await;
            let mine: Vec<&(String, String)> = rules.iter().filter(|(t, _)| t == table).collect();
            // With all other rules of the table gone, each one alone refuses.
            for (_, rule) in &mine {
                let others = mine.iter().filter(|(_, other)| other != rule && !other.ends_with("_pkey"));
                let without: Vec<String> =
                    others.map(|(_, other)| format!("DROP INDEX IF EXISTS {other};")).collect();
                let without = without.concat();
                let error = store
                    .try_execute(format!("BEGIN; {without} {sql}; COMMIT"))
                    .await
                    .expect_err(rule);
                assert!(matches!(error, StoreError::Conflict(_)), "{rule}: {error:?}");
            }
        }
    }

    async fn a_conflict_names_its_rule(store: TestStore) {
        let office = store.office("a").await;
        let outcome = store.write(office.company, move |tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.db().insert_channel(&new_channel(office.company, "bot of a"), 0, now).await
            })
        });
        let error: StoreError = outcome.await.unwrap_err();
        assert!(error.is_conflict_on("channels_account", "channels.external_id"), "{error:?}");
        assert!(!error.is_conflict_on("users_phone", "users.phone"), "{error:?}");
        let outcome = store.write_system(|tx| {
            Box::pin(async move {
                let now = tx.now();
                tx.db().insert_user("phone of a", "Кто-то", now).await
            })
        });
        let error: StoreError = outcome.await.unwrap_err();
        assert!(error.is_conflict_on("users_phone", "users.phone"), "{error:?}");
    }
}
