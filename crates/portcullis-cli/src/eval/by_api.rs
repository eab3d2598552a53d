//! What is built once for each API that is asked about, and kept.
//!
//! ```text
//! arn:aws:execute-api:eu-central-1:123456789012:io75qg1rvf/prod/GET/pets
//! └───────────────────────── key ─────────────────────────┘
//! ```
//!
//! The lock is held to find a slot, never while one is filled: threads that ask about other
//! APIs go on, and those that ask about the same one wait for it and do not build it again.
//! What is kept is bounded in number and in bytes. Where there is no room, any one goes:
//! of the least recently used, APIs that come round in turn would each be dropped just
//! before they come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Things by API, each built when it is first asked for.
#[derive(Debug)]
pub(super) struct ByApi<T> {
    /// Bytes of all of them.
    budget: u64,
    kept: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    /// INVARIANT: one for each of `slots`, with its index.
    places: HashMap<Arc<str>, usize>,
    slots: Vec<(Arc<str>, Arc<OnceLock<T>>)>,
    /// How many are kept.
    limit: usize,
    /// The state of a xorshift generator; never zero.
    dice: u64,
}

impl<T> ByApi<T> {
    /// Returns an empty collection that keeps about `budget` bytes.
    pub(super) fn new(budget: u64) -> Self {
        Self {
            budget,
            kept: Mutex::new(Kept {
                places: HashMap::new(),
                slots: Vec::new(),
                limit: MOST,
                dice: 0x9e37_79b9_7f4a_7c15,
            }),
        }
    }

    /// Calls `read` with what belongs to `api`; `build` makes it, and tells its bytes.
    pub(super) fn with<R>(
        &self,
        api: &str,
        build: impl FnOnce() -> (T, u64),
        read: impl FnOnce(&T) -> R,
    ) -> R {
        let slot = self.locked(|kept| kept.slot(api));
        let mut built = None;
        let value = slot.get_or_init(|| {
            let (value, bytes) = build();
            built = Some(bytes);
            value
        });
        if let Some(bytes) = built.filter(|&bytes| bytes > 0) {
            // The things are made of the same policies, so each has about the same size.
            let limit = usize::try_from(self.budget / bytes).unwrap_or(MOST);
            self.locked(|kept| kept.set_limit(limit.clamp(LEAST, MOST)));
        }
        read(value)
    }

    fn locked<R>(&self, change: impl FnOnce(&mut Kept<T>) -> R) -> R {
        // Nothing that a change calls panics half-way.
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Kept<T> {
    /// Returns the slot of an API, filled or not.
    fn slot(&mut self, api: &str) -> Arc<OnceLock<T>> {
        let known = self
            .places
            .get(api)
            .and_then(|&place| self.slots.get(place));
        if let Some((_, slot)) = known {
            return Arc::clone(slot);
        }
        while self.slots.len() >= self.limit {
            self.drop_one();
        }
        let (key, slot) = (Arc::<str>::from(api), Arc::new(OnceLock::new()));
        self.places.insert(Arc::clone(&key), self.slots.len());
        self.slots.push((key, Arc::clone(&slot)));
        slot
    }

    fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        while self.slots.len() > limit {
            self.drop_one();
        }
    }

    /// Drops any one; there must be one.
    fn drop_one(&mut self) {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        let count = u64::try_from(self.slots.len()).unwrap_or(u64::MAX);
        let place = usize::try_from(self.dice % count.max(1)).unwrap_or(0);
        let (key, _) = self.slots.swap_remove(place);
        self.places.remove(&key);
        if let Some((moved, _)) = self.slots.get(place) {
            self.places.insert(Arc::clone(moved), place);
        }
    }
}

/// Returns the part of a request's ARN that names its API, or `None` where it is of none.
pub(super) fn api_of(resource: &str) -> Option<&str> {
    let mut parts = resource.splitn(6, ':');
    let (scheme, _, service) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = parts.nth(2)?;
    let id = rest.split('/').next()?;
    if scheme != "arn" || service != "execute-api" || id.is_empty() {
        return None;
    }
    resource.get(..resource.len() - rest.len() + id.len())
}

/// APIs that are kept at most, however small.
const MOST: usize = 1024;
/// APIs that are kept at least, however large.
const LEAST: usize = 4;

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use portcullis::Api;

    use super::*;

    /// Asks for `apis` APIs in turn, `rounds` times, and returns how many were built.
    fn builds(by_api: &ByApi<usize>, apis: usize, rounds: usize, bytes: u64) -> usize {
        let mut builds = 0;
        for _ in 0..rounds {
            for api in 0..apis {
                let build = || {
                    builds += 1;
                    (api, bytes)
                };
                by_api.with(&format!("api{api}"), build, |&built| assert_eq!(built, api));
            }
        }
        let kept = by_api.kept.lock().unwrap();
        assert_eq!(kept.places.len(), kept.slots.len());
        for (place, (key, _)) in kept.slots.iter().enumerate() {
            assert_eq!(kept.places.get(key), Some(&place));
        }
        assert!(kept.slots.len() <= kept.limit);
        builds
    }

    #[test]
    fn many_apis_in_turn_are_built_once_each() {
        for apis in [1, 33, 100, MOST] {
            assert_eq!(builds(&ByApi::new(1 << 20), apis, 5, 1), apis);
        }
    }

    #[test]
    fn a_few_too_many_are_not_all_built_again() {
        let apis = MOST + MOST / 10;
        let again = builds(&ByApi::new(1 << 20), apis, 5, 1) - apis;
        // Dropping the least recently used would build all of them in each of the four rounds.
        assert!(again < 2 * apis, "{again} of {apis}");
    }

    #[test]
    fn large_ones_are_fewer() {
        let by_api = ByApi::new(1_000);
        assert_eq!(builds(&by_api, 10, 3, 100), 10);
        assert!(builds(&by_api, 20, 3, 100) > 20);
        assert_eq!(by_api.kept.lock().unwrap().slots.len(), 10);
        let by_api = ByApi::new(1_000);
        builds(&by_api, 20, 3, 1_000_000);
        assert_eq!(by_api.kept.lock().unwrap().slots.len(), LEAST);
    }

    #[test]
    fn threads_do_not_build_the_same_twice() {
        let by_api = ByApi::new(1 << 20);
        let builds = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for api in 0..400 {
                        let build = || {
                            builds.fetch_add(1, Ordering::Relaxed);
                            thread::yield_now();
                            (api % 100, 1)
                        };
                        let key = format!("api{}", api % 100);
                        by_api.with(&key, build, |&built| assert_eq!(built, api % 100));
                    }
                });
            }
        });
        assert_eq!(builds.into_inner(), 100);
    }

    #[test]
    fn the_key_is_the_start_of_the_arns_of_an_api() {
        for resource in [
            "arn:aws:execute-api:r:1:id/prod/GET/a:b/c",
            "arn:aws-cn:execute-api:::id",
            "arn:aws:execute-api:r:1:a:b/prod",
            "arn:aws:execute-api:r:1:/prod",
            "arn:aws:execute-api:r:1",
            "arn:aws:s3:::bucket/key",
            "ARN:aws:execute-api:r:1:id/prod",
            "",
        ] {
            let api = Api::from_arn(resource).map(|api| api.to_string());
            let start = api_of(resource).map(|start| format!("{start}/"));
            assert_eq!(start, api, "{resource}");
        }
    }
}
