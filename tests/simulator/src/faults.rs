//! Scripted faults, the same for every provider: when a rule applies, and which ones do now.
//!
//! A provider says what its faults are (the type parameter) and what to do with them. Chance is seeded: the same
//! seed and the same order of calls give the same faults, so a failing run can be repeated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A small seeded generator (`SplitMix64`), stable across versions of any crate.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// True with the given probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        let unit = (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < probability
    }

    /// Fisher-Yates.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = (self.next_u64() % (last as u64 + 1)) as usize;
            items.swap(last, other);
        }
    }
}

/// When a fault applies. Empty or absent means "any".
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// Methods of the provider (or kinds of updates), case-insensitive.
    pub subjects: Vec<String>,
    /// The provider's account, for example a bot's id.
    pub account: Option<i64>,
    /// The dialogue.
    pub chat: Option<i64>,
    /// This many matching calls pass before the first fault.
    pub skip: u32,
    /// How often it happens; absent means until removed.
    pub times: Option<u32>,
    /// Chance for each matching call; absent means always.
    pub probability: Option<f64>,
    /// Seed of that chance.
    pub seed: u64,
}

impl When {
    /// The next matching call only.
    pub fn once(subject: &str) -> Self {
        Self::times(subject, 1)
    }

    /// The next `times` matching calls.
    pub fn times(subject: &str, times: u32) -> Self {
        Self { subjects: vec![subject.to_owned()], times: Some(times), ..Self::default() }
    }

    /// Every matching call until the rule is removed.
    pub fn always(subject: &str) -> Self {
        Self { subjects: vec![subject.to_owned()], ..Self::default() }
    }

    /// Each matching call with this probability.
    pub fn randomly(subject: &str, probability: f64, seed: u64) -> Self {
        Self {
            subjects: vec![subject.to_owned()],
            probability: Some(probability),
            seed,
            ..Self::default()
        }
    }

    pub fn in_chat(mut self, chat: i64) -> Self {
        self.chat = Some(chat);
        self
    }

    pub fn of_account(mut self, account: i64) -> Self {
        self.account = Some(account);
        self
    }

    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, subject: &str, account: Option<i64>, chat: Option<i64>) -> bool {
        (self.subjects.is_empty()
            || self.subjects.iter().any(|one| one.eq_ignore_ascii_case(subject) || one == "*"))
            && (self.account.is_none() || self.account == account)
            && (self.chat.is_none() || self.chat == chat)
    }
}

/// A rule as it was scripted, with what has become of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rule<F> {
    #[serde(default)]
    pub id: u64,
    #[serde(flatten)]
    pub when: When,
    #[serde(flatten)]
    pub fault: F,
    #[serde(default)]
    pub happened: u32,
}

struct Scripted<F> {
    rule: Rule<F>,
    chance: Chance,
}

struct Registry<F> {
    rules: Vec<Scripted<F>>,
    last_id: u64,
}

/// The rules in force.
pub struct Rules<F> {
    registry: Mutex<Registry<F>>,
    /// Spares the lock on the hot path while nothing is scripted.
    any: AtomicBool,
}

impl<F> Default for Rules<F> {
    fn default() -> Self {
        Self {
            registry: Mutex::new(Registry { rules: Vec::new(), last_id: 0 }),
            any: AtomicBool::new(false),
        }
    }
}

impl<F: Clone> Rules<F> {
    /// Adds a rule and returns its id.
    pub fn add(&self, when: When, fault: F) -> u64 {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.last_id += 1;
        let id = registry.last_id;
        let chance = Chance::seeded(when.seed);
        registry.rules.push(Scripted { rule: Rule { id, when, fault, happened: 0 }, chance });
        self.any.store(true, Ordering::Release);
        id
    }

    pub fn remove(&self, id: u64) -> bool {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let before = registry.rules.len();
        registry.rules.retain(|scripted| scripted.rule.id != id);
        self.any.store(!registry.rules.is_empty(), Ordering::Release);
        registry.rules.len() < before
    }

    pub fn clear(&self) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).rules.clear();
        self.any.store(false, Ordering::Release);
    }

    pub fn list(&self) -> Vec<Rule<F>> {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.rules.iter().map(|scripted| scripted.rule.clone()).collect()
    }

    /// The faults that happen to this call, each counted as happened.
    pub fn take(&self, subject: &str, account: Option<i64>, chat: Option<i64>) -> Vec<F> {
        self.take_those(subject, account, chat, |_| true)
    }

    /// The same, of some faults only: those that happen at one stage of a call.
    pub fn take_those(
        &self,
        subject: &str,
        account: Option<i64>,
        chat: Option<i64>,
        happens_now: impl Fn(&F) -> bool,
    ) -> Vec<F> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut happening = Vec::new();
        for Scripted { rule, chance } in &mut registry.rules {
            if !happens_now(&rule.fault)
                || rule.when.times.is_some_and(|times| rule.happened >= times)
                || !rule.when.matches(subject, account, chat)
            {
                continue;
            }
            if rule.when.skip > 0 {
                rule.when.skip -= 1;
                continue;
            }
            if rule.when.probability.is_some_and(|probability| !chance.happens(probability)) {
                continue;
            }
            rule.happened += 1;
            happening.push(rule.fault.clone());
        }
        happening
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_happens_as_often_as_it_was_told_and_only_where_it_was_told() {
        let rules = Rules::default();
        rules.add(When::times("sendMessage", 2).in_chat(7).after(1), "cut");
        let calls = [Some(8), Some(7), Some(7), Some(7), Some(7)];
        let happened: Vec<usize> =
            calls.iter().map(|chat| rules.take("SENDMESSAGE", Some(1), *chat).len()).collect();
        assert_eq!(happened, [0, 0, 1, 1, 0]);
        assert!(rules.take("getMe", Some(1), Some(7)).is_empty());
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let run = |seed| {
            let rules = Rules::default();
            rules.add(When::randomly("a", 0.3, seed), ());
            (0..200).map(|_| rules.take("a", None, None).len()).collect::<Vec<_>>()
        };
        assert_eq!(run(5), run(5));
        assert_ne!(run(5), run(6));
        let hits: usize = run(5).iter().sum();
        assert!((30..90).contains(&hits), "{hits} of 200 at 0.3");
    }
}
