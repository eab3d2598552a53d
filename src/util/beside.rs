//! Two tasks beside one another.
//!
//! A build is a chain of a few long steps, some of which need nothing of each other. Where they are
//! long enough a second thread takes one of them; what comes of them is the same either way.

use core::sync::atomic::{AtomicBool, Ordering};
use std::panic::resume_unwind;
use std::thread::{Builder, ScopedJoinHandle, scope};

/// Runs two tasks, and returns what both return, or the error of the first that has one.
///
/// Where it `pays` the second is begun on another thread. It is run here instead if that thread
/// cannot be started, or has not begun when the first task is done. If the first task fails before
/// it is begun, it is not run.
pub(crate) fn both<A, B: Send, E: Send>(
    pays: bool,
    first: impl FnOnce() -> Result<A, E>,
    second: impl Fn() -> Result<B, E> + Sync,
) -> Result<(A, B), E> {
    #[cfg(test)]
    let pays = pays && !tests::ALONE.get();
    if !pays {
        return Ok((first()?, second()?));
    }
    let is_taken = AtomicBool::new(false);
    // Nothing is told by it but who runs the task.
    let take = || !is_taken.swap(true, Ordering::Relaxed);
    scope(|scope| {
        let there = || take().then(&second);
        let thread = Builder::new().spawn_scoped(scope, there).ok();
        let first = first();
        let is_left = take();
        let first = first?;
        if is_left {
            return Ok((first, second()?));
        }
        let result = match thread.map(ScopedJoinHandle::join) {
            Some(Ok(Some(result))) => result,
            Some(Err(panic)) => resume_unwind(panic),
            // Nobody has it, which cannot be.
            Some(Ok(None)) | None => second(),
        };
        Ok((first, result?))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use core::cell::Cell;
    use std::sync::mpsc::channel;

    use super::*;

    thread_local! {
        pub(super) static ALONE: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs a task all on this thread.
    pub(crate) fn alone<T>(task: impl FnOnce() -> T) -> T {
        ALONE.set(true);
        let result = task();
        ALONE.set(false);
        result
    }

    #[test]
    fn alone_is_on_this_thread() {
        let here = || Ok::<_, ()>(std::thread::current().id());
        let (first, second) = alone(|| both(true, here, here)).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn both_results_or_the_first_error() {
        for pays in [false, true] {
            for _ in 0..100 {
                let of = |first, second| both::<u8, u8, &str>(pays, || first, || second);
                assert_eq!(of(Ok(1), Ok(2)), Ok((1, 2)));
                assert_eq!(of(Err("first"), Err("second")), Err("first"));
                assert_eq!(of(Ok(1), Err("second")), Err("second"));
            }
        }
    }

    #[test]
    fn where_it_pays_they_run_at_one_time() {
        // Each waits for a word of the other, so neither ends alone.
        let ((to_second, at_second), (to_first, at_first)) = (channel(), channel());
        let at_second = std::sync::Mutex::new(at_second);
        let first = || {
            let heard: u8 = at_first.recv().unwrap();
            to_second.send(heard + 1).unwrap();
            Ok::<u8, ()>(heard)
        };
        let second = || {
            to_first.send(1).unwrap();
            Ok(at_second.lock().unwrap().recv().unwrap())
        };
        assert_eq!(both(true, first, second), Ok((1, 2)));
    }

    #[test]
    fn what_the_first_fails_before_is_not_run() {
        let ran = AtomicBool::new(false);
        let second = || {
            ran.store(true, Ordering::Relaxed);
            Ok::<u8, ()>(1)
        };
        assert_eq!(both::<u8, u8, ()>(false, || Err(()), second), Err(()));
        assert!(!ran.into_inner());
    }

    #[test]
    fn a_panic_of_the_second_is_one_here() {
        for pays in [false, true] {
            let outcome = std::panic::catch_unwind(|| {
                both::<u8, u8, ()>(pays, || Ok(1), || resume_unwind(Box::new("second")))
            });
            let panic = outcome.unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"second"));
        }
    }
}
