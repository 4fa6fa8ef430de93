//! The writer: group commit, isolation of jobs, gap-free offsets, hints, back-pressure.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use hub_domain::CompanyId;
use hub_store::{Commit, StoreError};
use tokio::sync::Semaphore;

use crate::harness::{
    TestStore, append_something, incoming, new_delivery, on_both_engines, within_seconds,
};

/// A refusal of an action, as the server's errors are.
#[derive(Debug)]
enum Refused {
    ByTheJob,
    ByTheStore(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::ByTheStore(error)
    }
}

on_both_engines! {
    async fn offsets_are_gap_free_though_some_of_many_jobs_fail_and_some_panic(store: TestStore) {
        let mut companies = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            companies.push(store.company(name).await);
        }
        let jobs = (0..150_usize).map(|n| {
            let (store, company) = (&store, companies[n % companies.len()]);
            async move {
                let outcome = store
                    .write(company, move |tx| {
                        Box::pin(async move {
                            for _ in 0..=(n % 4) {
                                append_something(tx).await?;
                            }
                            match n % 7 {
                                3 => Err(Refused::ByTheJob),
                                5 => panic!("job {n} panics on purpose"),
                                _ => Ok(()),
                            }
                        })
                    })
                    .await;
                match (n % 7, outcome) {
                    (3, Err(Refused::ByTheJob))
                    | (5, Err(Refused::ByTheStore(StoreError::Panicked))) => (company, 0),
                    (3 | 5, other) => panic!("job {n} must not succeed: {other:?}"),
                    (_, outcome) => {
                        outcome.unwrap();
                        (company, n % 4 + 1)
                    }
                }
            }
        });
        let done = join_all(jobs).await;
        for company in companies {
            let expected: usize =
                done.iter().filter(|(of, _)| *of == company).map(|(_, events)| events).sum();
            assert_eq!(store.assert_gap_free(company).await, expected as i64);
        }
    }

    async fn a_job_that_fails_or_panics_leaves_nothing_and_harms_nobody(store: TestStore) {
        let office = store.office("a").await;
        let write = |n: usize| {
            let (store, office) = (&store, office);
            async move {
                store
                    .write(office.company, move |tx| {
                        Box::pin(async move {
                            let now = tx.now();
                            let lane = format!("lane {n}");
                            let delivery = new_delivery(office.company, &lane, "t");
                            tx.db().insert_deliveries(&[delivery], now).await?;
                            append_something(tx).await?;
                            match n % 3 {
                                1 => Err(Refused::ByTheJob),
                                2 => panic!("job {n} panics on purpose"),
                                _ => Ok(()),
                            }
                        })
                    })
                    .await
                    .is_ok()
            }
        };
        // Alone in its batch, and among others.
        let alone = [write(1).await, write(2).await, write(0).await];
        assert_eq!(alone, [false, false, true]);
        let together = join_all((3..60).map(write)).await;
        assert_eq!(together.iter().filter(|kept| **kept).count(), 19);
        let lanes = store.texts("SELECT lane FROM deliveries").await;
        assert_eq!(lanes.len(), 20);
        for lane in lanes {
            assert_eq!(lane["lane ".len()..].parse::<usize>().unwrap() % 3, 0, "{lane}");
        }
        assert_eq!(store.assert_gap_free(office.company).await, 20);
    }

    async fn jobs_of_a_company_run_in_the_order_they_were_asked(store: TestStore) {
        let (first, second) = (store.company("a").await, store.company("b").await);
        let jobs = (0..100_i64).map(|n| {
            let company = if n % 2 == 0 { first } else { second };
            store.write(company, move |tx| Box::pin(append_something(tx)))
        });
        let offsets: Vec<Result<i64, StoreError>> = join_all(jobs).await;
        for (n, offset) in offsets.into_iter().enumerate() {
            assert_eq!(offset.unwrap(), n as i64 / 2 + 1, "job {n}");
        }
    }

    async fn a_job_of_an_unknown_company_is_an_error_and_does_not_run(store: TestStore) {
        let known = store.company("a").await;
        let ran = Arc::new(AtomicUsize::new(0));
        let unknown = |company: i64| {
            let ran = Arc::clone(&ran);
            store.write(CompanyId(company), move |_| {
                ran.fetch_add(1, Ordering::SeqCst);
                Box::pin(async { Ok::<_, StoreError>(()) })
            })
        };
        let neighbour = store.write(known, |tx| Box::pin(append_something(tx)));
        let (first, second, neighbour) = tokio::join!(unknown(404), unknown(408), neighbour);
        assert!(matches!(first, Err(StoreError::Inconsistent(_))), "{first:?}");
        assert!(matches!(second, Err(StoreError::Inconsistent(_))), "{second:?}");
        assert_eq!(ran.load(Ordering::SeqCst), 0);
        let neighbour: Result<i64, StoreError> = neighbour;
        assert_eq!(neighbour.unwrap(), 1);
        let outcome = store.ingest(CompanyId(404), vec![incoming(hub_domain::ChannelId(1), "a", 1)]);
        assert!(outcome.await.is_err());
    }

    async fn a_job_that_hides_a_failed_statement_is_never_told_that_it_was_stored(store: TestStore) {
        let office = store.office("a").await;
        let hide = |lane: &'static str| {
            store.write(office.company, move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let delivery = new_delivery(office.company, lane, "t");
                    tx.db().insert_deliveries(&[delivery], now).await?;
                    let clash = crate::harness::new_channel(office.company, "bot of a");
                    let clash = tx.db().insert_channel(&clash, 0, now).await;
                    assert!(matches!(clash, Err(StoreError::Conflict(_))));
                    Ok::<_, StoreError>(())
                })
            })
        };
        let alone = hide("alone").await;
        let (hidden, neighbours) = tokio::join!(
            hide("among others"),
            join_all((0..20).map(|_| {
                store.write(office.company, |tx| Box::pin(append_something(tx)))
            })),
        );
        for neighbour in neighbours {
            let neighbour: Result<i64, StoreError> = neighbour;
            neighbour.expect("a neighbour is not harmed");
        }
        store.assert_gap_free(office.company).await;
        // SQLite goes on after a failed statement, PostgreSQL does not: what is told is what is kept.
        let kept = store.texts("SELECT lane FROM deliveries").await;
        for (lane, told) in [("alone", alone), ("among others", hidden)] {
            assert_eq!(told.is_ok(), kept.iter().any(|l| l == lane), "{lane}: {told:?}");
        }
    }

    async fn a_commit_is_hinted_after_it_can_be_read(store: TestStore) {
        let office = store.office("a").await;
        let mut commits = store.commits();
        store
            .job(office.company, |tx| {
                Box::pin(async move {
                    append_something(tx).await?;
                    append_something(tx).await
                })
            })
            .await;
        let hint = within_seconds(5, "the hint", commits.recv()).await.unwrap();
        assert_eq!(hint, Commit::Events { company_id: office.company, offset: 2 });
        store
            .job(office.company, move |tx| {
                Box::pin(async move {
                    tx.wake_deliveries();
                    Ok(())
                })
            })
            .await;
        assert_eq!(within_seconds(5, "the hint", commits.recv()).await.unwrap(), Commit::Deliveries);

        // What fails is not hinted.
        let failed = store.write(office.company, |tx| {
            Box::pin(async move {
                tx.wake_deliveries();
                append_something(tx).await?;
                Err::<(), _>(Refused::ByTheJob)
            })
        });
        assert!(failed.await.is_err());
        store.job(office.company, |tx| Box::pin(append_something(tx))).await;
        let hint = within_seconds(5, "the hint", commits.recv()).await.unwrap();
        assert_eq!(hint, Commit::Events { company_id: office.company, offset: 3 });
    }

    async fn a_full_queue_makes_callers_wait_and_who_left_it_is_not_worked_for(store: TestStore) {
        const QUEUE: usize = 3;
        let company = store.company("a").await;
        let small = store.open_again(|options| options.write_queue = QUEUE).await;
        let (entered, gate) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        let blocker = {
            let (entered, gate) = (Arc::clone(&entered), Arc::clone(&gate));
            small.write(company, move |_| {
                Box::pin(async move {
                    entered.add_permits(1);
                    let _open = gate.acquire().await;
                    Ok::<_, StoreError>(())
                })
            })
        };
        let ran = Arc::new(AtomicUsize::new(0));
        let check = async {
            let _entered = entered.acquire().await.unwrap();
            let mut waiting: Vec<_> = (0..QUEUE + 5)
                .map(|_| {
                    let ran = Arc::clone(&ran);
                    Box::pin(small.write(company, move |_| {
                        ran.fetch_add(1, Ordering::SeqCst);
                        Box::pin(async { Ok::<_, StoreError>(()) })
                    }))
                })
                .collect();
            for one in &mut waiting {
                assert!(futures_util::poll!(one).is_pending());
            }
            drop(waiting);
            gate.add_permits(1);
        };
        let (blocked, ()) = tokio::join!(blocker, check);
        blocked.unwrap();
        small.write(company, |_| Box::pin(async { Ok::<_, StoreError>(()) })).await.unwrap();
        assert_eq!(ran.load(Ordering::SeqCst), QUEUE, "only what the queue holds was taken over");
        small.close().await;
    }

    async fn closing_finishes_what_waits_and_refuses_what_comes_after(store: TestStore) {
        let company = store.company("a").await;
        let mut jobs: Vec<_> = (0..50)
            .map(|_| {
                let job = store.write(company, |tx| Box::pin(append_something(tx)));
                Box::pin(job) as futures_util::future::BoxFuture<'_, Result<i64, StoreError>>
            })
            .collect();
        for job in &mut jobs {
            assert!(futures_util::poll!(job).is_pending());
        }
        let (done, ()) = tokio::join!(join_all(jobs), store.close());
        let mut offsets: Vec<i64> = done.into_iter().map(Result::unwrap).collect();
        offsets.sort_unstable();
        assert_eq!(offsets, (1..=50).collect::<Vec<_>>());
        let late = store.write(company, |tx| Box::pin(append_something(tx))).await;
        assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
        let again = store.open_again(|_| {}).await;
        assert_eq!(again.position(company).await.unwrap().unwrap().offset, 50);
        again.close().await;
    }

    async fn a_job_may_found_the_company_it_works_for(store: TestStore) {
        let found = |fail: bool| {
            store.write_system(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let company = tx.db().insert_company("new", "UTC", "e1", now).await?;
                    tx.adopt_company(company, "e1".to_owned());
                    append_something(tx).await?;
                    if fail { Err(Refused::ByTheJob) } else { Ok(company) }
                })
            })
        };
        assert!(found(true).await.is_err());
        let mut reader = store.reader().await.unwrap();
        assert_eq!(reader.db().company_count().await.unwrap(), 0);
        drop(reader);
        let company = found(false).await.unwrap();
        let position = store.position(company).await.unwrap().unwrap();
        assert_eq!((position.epoch.as_str(), position.offset), ("e1", 1));
    }
}
