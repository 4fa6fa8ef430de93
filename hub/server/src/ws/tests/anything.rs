//! Whatever happens in whatever order: each follower sees each offset once, in order.

use proptest::prelude::*;

use super::*;
use crate::ws::recovery::{Outbox, Step};

/// What may happen around those who follow a log.
#[derive(Debug, Clone)]
enum Happening {
    Append {
        events: usize,
        bytes: usize,
    },
    /// Somebody begins so many events behind the end.
    Watch {
        behind: i64,
    },
    /// Follower `who` takes about so much.
    Take {
        who: usize,
        bytes: usize,
    },
    Leave {
        who: usize,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1..30usize, 1..4000usize).prop_map(|(events, bytes)| Happening::Append { events, bytes }),
        2 => (0..120i64).prop_map(|behind| Happening::Watch { behind }),
        6 => (0..8usize, 1..40_000usize).prop_map(|(who, bytes)| Happening::Take { who, bytes }),
        1 => (0..8usize).prop_map(|who| Happening::Leave { who }),
    ]
}

struct Reader {
    follower: super::recovery::Follower,
    at: i64,
    _admission: super::fanout::Admission,
    bell: Arc<super::bell::Bell>,
}

impl Reader {
    /// Takes a step; `false` when there was nothing to take.
    async fn step(&mut self, store: &Store, bytes: usize) -> Result<bool, TestCaseError> {
        let mut out = Outbox::default();
        match self.follower.take(&mut out, bytes, i64::MAX) {
            Step::Current => return Ok(false),
            Step::Took => {}
            Step::Read(head) => self.follower.read(store, &head, &mut out).await.unwrap(),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        }
        for frame in out.frames {
            let frame: ServerFrame = serde_json::from_str(&frame).unwrap();
            let ServerFrame::Events { events, position, .. } = frame else {
                return Err(TestCaseError::fail(format!("{frame:?}")));
            };
            for event in events {
                prop_assert_eq!(event.offset, self.at + 1);
                self.at = event.offset;
            }
            prop_assert_eq!(position.offset, self.at);
        }
        Ok(true)
    }
}

async fn play(node: &Node, happenings: Vec<Happening>) -> Result<(), TestCaseError> {
    let company = node.company().await;
    let mut readers: Vec<Reader> = Vec::new();
    let mut end = 0;
    for happening in happenings {
        match happening {
            Happening::Append { events, bytes } => {
                let position =
                    node.append_named(company, vec![None; events], "x".repeat(bytes)).await;
                end = position.offset;
            }
            Happening::Watch { behind } => {
                let number = readers.len() as i64;
                let caller =
                    Caller { user_id: UserId(number), proof: Proof::PrivateToken([0; 32]) };
                let admission = node.fanout.admit(caller).unwrap();
                let scope = node.door.scope(UserId(1), company).await.unwrap().unwrap();
                let from = at("e1", (end - behind).max(0));
                let (follower, frame) =
                    node.fanout.watch(&admission, scope, Some(&from)).await.unwrap();
                let company_id = company;
                let expected = ServerFrame::Watching {
                    company_id,
                    recovered: true,
                    position: from.clone(),
                    end,
                };
                prop_assert_eq!(frame, expected);
                let bell = Arc::clone(&admission.bell);
                readers.push(Reader { follower, at: from.offset, _admission: admission, bell });
            }
            Happening::Take { who, bytes } if !readers.is_empty() => {
                let count = readers.len();
                readers[who % count].step(&node.store, bytes).await?;
            }
            Happening::Leave { who } if !readers.is_empty() => {
                let count = readers.len();
                readers.remove(who % count);
            }
            Happening::Take { .. } | Happening::Leave { .. } => {}
        }
    }
    for reader in &mut readers {
        while reader.at < end {
            if !reader.step(&node.store, 4096).await? {
                let rung = timeout(SOON, reader.bell.rung()).await;
                prop_assert!(rung.is_ok(), "{} of {end}: nobody rang", reader.at);
            }
        }
        prop_assert!(!reader.step(&node.store, 4096).await?, "events after the last one");
    }
    Ok(())
}

#[test]
fn whatever_happens_each_follower_sees_each_offset_once_in_order() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let place = Place::sqlite();
    let ring = RingLimits { frames: 4, bytes: 60_000 };
    let max_user_connections = usize::MAX;
    let limits = Settings { ring, max_user_connections, ..settings() };
    let node = runtime.block_on(Node::start(&place, limits));
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() };
    proptest!(config, |(happenings in prop::collection::vec(happening(), 1..60))| {
        runtime.block_on(play(&node, happenings))?;
    });
}
