//! Does many independent things on every core, and answers in their order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

/// Conditions may be nested; the engine wants room in any build.
const STACK: usize = 8 << 20;

/// Does `work` for each item; `done` hears how many are done, on the caller's own thread.
pub(super) fn each<I: Sync, O: Send>(
    items: &[I],
    work: impl Fn(&I) -> O + Sync,
    mut done: impl FnMut(usize),
) -> Vec<O> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let (results, inbox) = channel();
    let mut all: Vec<(usize, O)> = Vec::with_capacity(items.len());
    let run = |results: Sender<(usize, O)>| {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(number) else { break };
            // Nobody hears it any more: then nobody wants it.
            if results.send((number, work(item))).is_err() {
                break;
            }
        }
    };
    std::thread::scope(|scope| {
        let mut started = 0;
        for _ in 0..workers {
            let (results, run) = (results.clone(), &run);
            let thread = std::thread::Builder::new().stack_size(STACK);
            started += usize::from(thread.spawn_scoped(scope, move || run(results)).is_ok());
        }
        if started == 0 {
            // No thread to be had: then this one does it.
            run(results.clone());
        }
        drop(results);
        for one in inbox {
            all.push(one);
            done(all.len());
        }
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let items: Vec<u64> = (0..500).collect();
        let mut heard = 0;
        let doubled = each(&items, |item| item * 2, |done| heard = done);
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(heard, 500);
        assert!(each(&[] as &[u64], |item| *item, |_| {}).is_empty());
    }
}
