//! An engine that can be replaced while requests are being decided.
//!
//! Readers take the engine that is current and go on with it to their end: they never
//! wait, and never see a mixture of two. A replacement is in force for every decision
//! that starts after [`Handle::replace`] returns; the old engine is freed when its last
//! reader is done.

use core::fmt;
use core::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::Engine;
use crate::decision::Decision;
use crate::request::Request;

/// A shared engine, to be replaced whole.
///
/// # Example
///
/// ```
/// use portcullis::{Address, Decision, Engine, Handle, Request};
///
/// let handle = Handle::new(Engine::builder().build()?);
/// let request = Request::invoke(Address::Absent, "arn:aws:execute-api:eu-central-1:1:abc/prod/GET/");
/// assert_eq!(handle.decide(&request), Decision::ImplicitDeny);
/// assert_eq!(handle.generation(), 1);
///
/// let replaced = handle.replace(Engine::builder().build()?);
/// assert_eq!((replaced, handle.generation()), (2, 2));
/// # Ok::<(), portcullis::BuildError>(())
/// ```
pub struct Handle {
    current: ArcSwap<Current>,
    /// Held while replacing, so that generations are stored in their order.
    replacing: Mutex<()>,
}

/// An engine and its number.
#[derive(Debug)]
pub struct Current {
    engine: Engine,
    generation: u64,
}

impl Handle {
    /// Returns a handle on `engine`, which is generation 1.
    pub fn new(engine: Engine) -> Self {
        Self {
            current: ArcSwap::from_pointee(Current {
                engine,
                generation: 1,
            }),
            replacing: Mutex::new(()),
        }
    }

    /// Puts another engine in place of the current one and returns its generation.
    ///
    /// Replacements from several threads happen one after another; readers wait for none.
    pub fn replace(&self, engine: Engine) -> u64 {
        // The lock guards no data, so a panic under it leaves nothing half done.
        let _one_at_a_time = self
            .replacing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let generation = self.current.load().generation.saturating_add(1);
        self.current.store(Arc::new(Current { engine, generation }));
        generation
    }

    /// Returns the current engine, to be used for several questions that belong together.
    pub fn load(&self) -> Arc<Current> {
        self.current.load_full()
    }

    /// Decides by the current engine, without waiting.
    #[inline]
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        self.current.load().engine.decide(request)
    }

    /// Returns the number of the current engine: how many there have been.
    pub fn generation(&self) -> u64 {
        self.current.load().generation
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("current", &self.load())
            .finish_non_exhaustive()
    }
}

impl Current {
    /// Returns the engine's number.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

impl Deref for Current {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::Weak;
    use std::thread;

    use super::*;
    use crate::policy::Policy;
    use crate::request::Address;

    /// An engine that allows exactly the resource of its generation.
    fn engine(generation: u64) -> Engine {
        let text = format!(
            r#"{{"Statement":{{"Sid":"g{generation}","Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:{generation}"}}}}"#
        );
        Engine::builder()
            .policy(Policy::from_json(&text).unwrap())
            .build()
            .unwrap()
    }

    fn allows(engine: &Engine, generation: u64) -> bool {
        let resource = format!("arn:{generation}");
        engine
            .decide(&Request::invoke(Address::Absent, &resource))
            .is_allow()
    }

    #[test]
    fn readers_see_whole_engines_in_order_and_old_ones_are_freed() {
        const REPLACEMENTS: u64 = 300;
        let handle = Handle::new(engine(1));
        let done = AtomicBool::new(false);
        let reads = AtomicU64::new(0);
        let mut old: Vec<Weak<Current>> = Vec::new();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let current = handle.load();
                        let generation = current.generation();
                        assert!(generation >= last, "an older engine came back");
                        assert!(allows(&current, generation));
                        assert!(
                            !allows(&current, generation + 1) && !allows(&current, generation - 1)
                        );
                        last = generation;
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            for generation in 2..=REPLACEMENTS {
                old.push(Arc::downgrade(&handle.load()));
                assert_eq!(handle.replace(engine(generation)), generation);
                assert!(allows(&handle.load(), generation), "in force at once");
                // Readers get to see some of the generations even on one core.
                thread::yield_now();
            }
            while reads.load(Ordering::Relaxed) < 100 {
                thread::yield_now();
            }
            done.store(true, Ordering::Release);
        });
        assert!(
            old.iter().all(|engine| engine.upgrade().is_none()),
            "an old engine is still alive"
        );
        assert_eq!(handle.generation(), REPLACEMENTS);
    }

    #[test]
    fn replacements_from_several_threads_each_get_their_number() {
        let handle = Handle::new(engine(1));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        handle.replace(Engine::builder().build().unwrap());
                    }
                });
            }
        });
        assert_eq!(handle.generation(), 201);
    }
}
