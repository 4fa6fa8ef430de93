//! Clients: what members write on their cards, and how they are found.

use hub_domain::channel::Sender;
use hub_domain::{ContactId, Scope, Visibility, terms};
use hub_store::records::{ContactHit, ContactRecord, ContactSearch, Incoming};

use crate::harness::{Office, TestStore, incoming, on_both_engines};

/// A message of a client with this name, username and phone.
fn says(office: &Office, client: &str, ordinal: i64, card: (&str, &str, &str)) -> Incoming {
    let (name, username, phone) = card;
    let mut message = incoming(office.channel, client, ordinal);
    message.message.sender = Sender {
        name: name.to_owned(),
        username: Some(username.to_owned()).filter(|text| !text.is_empty()),
        ..message.message.sender
    };
    message.message.verified_phone = Some(phone.to_owned()).filter(|text| !text.is_empty());
    message
}

async fn page(store: &TestStore, scope: &Scope, search: ContactSearch) -> Vec<ContactHit> {
    store.reader().await.unwrap().db().search_contacts(scope, &search).await.unwrap().hits
}

fn search(text: &str) -> ContactSearch {
    ContactSearch { terms: terms::asked(text), after: None, limit: 100 }
}

/// Names of whom a search finds, sorted.
async fn found(store: &TestStore, scope: &Scope, text: &str) -> Vec<String> {
    let hits = page(store, scope, search(text)).await;
    let ids: Vec<i64> = hits.iter().map(|hit| hit.contact_id).collect();
    let mut reader = store.reader().await.unwrap();
    let seen = reader.db().conversations_of_contacts(scope, &ids).await.unwrap();
    let mut names: Vec<String> = seen.into_iter().map(|one| one.contact.name).collect();
    assert_eq!(names.len(), ids.len(), "{text}: a client is found once");
    names.sort();
    names
}

async fn three_clients(store: &TestStore) -> Office {
    let office = store.office("a").await;
    for (n, card) in [
        ("Алёна Ёлкина", "alena", "+7 926 418-07-53"),
        ("Елена Аленова", "", "+7 495 130-22-15"),
        ("Пётр", "PETR_ALEN", ""),
    ]
    .into_iter()
    .enumerate()
    {
        store.take(office.company, says(&office, &format!("client {n}"), 1, card)).await;
    }
    office
}

async fn change(
    store: &TestStore,
    office: Office,
    id: i64,
    change: impl FnOnce(&mut ContactRecord) + Send + 'static,
) {
    store
        .job(office.company, move |tx| {
            Box::pin(async move {
                let found = tx.db().contact(office.company, ContactId(id)).await?;
                let mut contact = found.expect("the contact");
                change(&mut contact);
                tx.db().save_contact(office.company, &contact).await
            })
        })
        .await;
}

on_both_engines! {
    async fn clients_are_found_alike_on_every_engine(store: TestStore) {
        let office = three_clients(&store).await;
        let scope = office.sees_all();
        for (text, expected) in [
            ("алён", vec!["Алёна Ёлкина", "Елена Аленова"]),
            ("АЛЕН", vec!["Алёна Ёлкина", "Елена Аленова"]),
            ("ёлк ален", vec!["Алёна Ёлкина"]),
            ("елен", vec!["Елена Аленова"]),
            ("alen", vec!["Алёна Ёлкина", "Пётр"]),
            ("@petr_alen", vec!["Пётр"]),
            ("8 926 418-07-53", vec!["Алёна Ёлкина"]),
            ("0753", vec!["Алёна Ёлкина"]),
            ("+7", vec!["Алёна Ёлкина", "Елена Аленова"]),
            ("лёна", vec![]),
            ("%", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(found(&store, &scope, text).await, expected, "{text}");
        }
    }

    async fn what_a_client_is_called_now_is_what_finds_them(store: TestStore) {
        let office = three_clients(&store).await;
        let scope = office.sees_all();
        let renamed = says(&office, "client 2", 2, ("Павел", "pavel", "8 916 204-88-31"));
        store.take(office.company, renamed).await;
        assert_eq!(found(&store, &scope, "пётр").await, Vec::<String>::new());
        assert_eq!(found(&store, &scope, "alen").await, ["Алёна Ёлкина"]);
        for text in ["павел", "@pavel", "916 204"] {
            assert_eq!(found(&store, &scope, text).await, ["Павел"], "{text}");
        }

        let id = page(&store, &scope, search("павел")).await[0].contact_id;
        change(&store, office, id, |contact| {
            "Ярослав".clone_into(&mut contact.name);
            contact.named_by_member = true;
            "Папа Сони, 5 «Б»".clone_into(&mut contact.comment);
            contact.phone = None;
        })
        .await;
        assert_eq!(found(&store, &scope, "pavel яр").await, ["Ярослав"], "the nickname stays");
        assert_eq!(found(&store, &scope, "соня").await, Vec::<String>::new());
        assert_eq!(found(&store, &scope, "сони 5").await, ["Ярослав"]);
        assert_eq!(found(&store, &scope, "916").await, Vec::<String>::new());

        // The messenger goes on calling the client as before.
        let again = says(&office, "client 2", 3, ("Павел II", "pavel", "8 916 204-88-31"));
        let (_, conversation) = store.take(office.company, again).await;
        let contact = store.conversation(office.company, conversation).await.contact;
        assert_eq!((contact.name.as_str(), contact.named_by_member), ("Ярослав", true));
        assert_eq!(contact.phone.as_deref(), Some("79162048831"), "nobody wrote the phone");
        assert_eq!(found(&store, &scope, "ii").await, Vec::<String>::new());
        assert_eq!(found(&store, &scope, "916").await, ["Ярослав"]);

        change(&store, office, id, |contact| {
            contact.phone = Some("79990001122".to_owned());
            contact.phone_by_member = true;
        })
        .await;
        let again = says(&office, "client 2", 4, ("Павел", "pavel", "8 916 204-88-31"));
        store.take(office.company, again).await;
        assert_eq!(found(&store, &scope, "999 000").await, ["Ярослав"]);
    }

    async fn a_client_of_many_chats_is_found_once_by_whoever_sees_one(store: TestStore) {
        let office = three_clients(&store).await;
        let second = Office { channel: store.channel(office.company, "second").await, ..office };
        let (_, conversation) =
            store.take(office.company, says(&second, "client 9", 1, ("Пётр", "petr9", ""))).await;
        let scope = office.sees_all();
        let first = page(&store, &scope, search("PETR_ALEN")).await[0].contact_id;
        store
            .execute(format!(
                "UPDATE contact_identities SET contact_id = {first} WHERE external_id = 'client 9'"
            ))
            .await;
        store
            .execute(format!(
                "UPDATE conversations SET contact_id = {first} WHERE id = {conversation}"
            ))
            .await;
        store
            .job(office.company, move |tx| {
                Box::pin(async move { tx.db().index_contacts(&[first]).await })
            })
            .await;
        let mut reader = store.reader().await.unwrap();
        for (visibility, chats) in [
            (Visibility::All, 2),
            (Visibility::Channels(vec![office.channel]), 1),
            (Visibility::Channels(vec![second.channel]), 1),
            (Visibility::Channels(Vec::new()), 0),
        ] {
            let scope = office.scope(visibility);
            for text in ["petr9", "petr_alen", "petr"] {
                let hits = page(&store, &scope, search(text)).await;
                assert_eq!(hits.iter().filter(|hit| hit.contact_id == first).count(), chats.min(1));
            }
            let seen = reader.db().conversations_of_contacts(&scope, &[first]).await.unwrap();
            assert_eq!(seen.len(), chats, "{:?}", scope.visibility);
        }
        // A stranger's company finds nothing, whatever it asks.
        let other = store.office("b").await;
        assert_eq!(page(&store, &other.sees_all(), search("petr")).await, Vec::new());
        let seen = reader.db().conversations_of_contacts(&other.sees_all(), &[first]).await;
        assert_eq!(seen.unwrap(), Vec::new());
        assert_eq!(reader.db().contact(other.company, ContactId(first)).await.unwrap(), None);
    }

    async fn pages_of_a_search_repeat_nobody_and_skip_nobody(store: TestStore) {
        let office = store.office("a").await;
        for n in 0..25 {
            // Two words of each begin alike, and all are called by a word that leads nowhere.
            let name = format!("Клиент Ан{} Андреев", ["на", "тон", "дрей"][n % 3]);
            let card = (name.as_str(), "", "");
            store.take(office.company, says(&office, &format!("client {n}"), 1, card)).await;
        }
        for n in 0..40 {
            let other = says(&office, &format!("other {n}"), 1, ("Клиент", "", ""));
            store.take(office.company, other).await;
        }
        let scope = office.sees_all();
        let mut reader = store.reader().await.unwrap();
        for text in ["ан", "клиент ан", "клиент андр"] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let one = ContactSearch { after, limit: 7, ..search(text) };
                let found = reader.db().search_contacts(&scope, &one).await.unwrap();
                assert!(found.hits.len() <= 7);
                assert!(one.terms[found.lead].starts_with("ан"), "the rarer word leads");
                seen.extend(found.hits.iter().map(|hit| hit.contact_id));
                let Some(last) = found.hits.last() else { break };
                after = Some((found.lead, last.clone()));
            }
            assert_eq!(seen.len(), 25, "{text}");
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 25, "{text}: nobody came twice");
        }
    }

    async fn clients_with_one_phone_are_known_by_it(store: TestStore) {
        let office = store.office("a").await;
        for (n, phone) in ["+7 926 418-07-53", "8 926 418 07 53", "+7 926 418-07-54"].iter().enumerate() {
            store.take(office.company, says(&office, &format!("{n}"), 1, ("Катя", "", phone))).await;
        }
        let mut reader = store.reader().await.unwrap();
        let same = reader.db().contacts_with_phone(office.company, "79264180753", 10).await.unwrap();
        assert_eq!(same.len(), 2);
        // An ending is a term of theirs too, and no phone.
        let ending = reader.db().contacts_with_phone(office.company, "0753", 10).await.unwrap();
        assert_eq!(ending, Vec::<i64>::new());
        let other = store.office("b").await;
        let theirs = reader.db().contacts_with_phone(other.company, "79264180753", 10).await;
        assert_eq!(theirs.unwrap(), Vec::<i64>::new());
    }

    async fn clients_of_before_are_told_apart_from_those_that_have_terms(store: TestStore) {
        let office = three_clients(&store).await;
        store.execute("DELETE FROM contact_terms WHERE term <> 'елена' AND term <> 'аленова'").await;
        store.execute("DELETE FROM contact_terms WHERE contact_id <> 2").await;
        let mut reader = store.reader().await.unwrap();
        let all = reader.db().contacts_to_index(0, 10).await.unwrap();
        let told: Vec<(i64, bool)> = all.iter().map(|one| (one.id, one.indexed)).collect();
        assert_eq!(told, [(1, false), (2, true), (3, false)]);
        let rest = reader.db().contacts_to_index(1, 1).await.unwrap();
        assert_eq!(rest.iter().map(|one| one.id).collect::<Vec<_>>(), [2]);
        store
            .job(office.company, |tx| Box::pin(async move { tx.db().index_contacts(&[1, 3]).await }))
            .await;
        assert_eq!(found(&store, &office.sees_all(), "alen").await.len(), 2);
    }
}
