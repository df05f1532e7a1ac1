//! Many independent runs at once, one to a thread: each is alone on its thread, so that what it does is the same however many
//! others run beside it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// So many threads as the machine has cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Does every job, and hands each outcome over on this thread, in the order of the jobs and as soon as it can. `ended` hears of each
/// that ends, in whatever order.
pub fn each<T: Sync, R: Send>(
    jobs: &[T],
    threads: usize,
    run: impl Fn(&T) -> R + Sync,
    mut ended: impl FnMut(),
    mut take: impl FnMut(R) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (next, (tell, outcomes)) = (AtomicUsize::new(0), mpsc::channel());
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let (next, tell, run) = (&next, tell.clone(), &run);
            scope.spawn(move || {
                while let Some((n, job)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|n| Some((n, jobs.get(n)?))) {
                    // Nobody takes it any more where one before it could not be taken.
                    if tell.send((n, run(job))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        for (n, outcome) in outcomes {
            ended();
            early.insert(n, outcome);
            while let Some(outcome) = early.remove(&due) {
                due += 1;
                if let Err(error) = take(outcome) {
                    // The others end the run that they are in.
                    next.store(jobs.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_done_once_and_taken_in_order_whatever_the_number_of_threads() {
        let jobs: Vec<u64> = (0..50).collect();
        for threads in [0, 1, 3, 100] {
            let (mut taken, mut ended) = (Vec::new(), 0);
            let run = |job: &u64| {
                // The first takes longest.
                std::hint::black_box((0..(50 - job) * 2_000).fold(0_u64, |a, b| a ^ b.wrapping_mul(a | 1)));
                job * 2
            };
            each(
                &jobs,
                threads,
                run,
                || ended += 1,
                |outcome| {
                    taken.push(outcome);
                    Ok(())
                },
            )
            .unwrap();
            assert_eq!((taken, ended), (jobs.iter().map(|n| n * 2).collect(), 50), "{threads} threads");
        }
    }

    #[test]
    fn one_that_cannot_be_taken_ends_it() {
        let jobs: Vec<u64> = (0..10_000).collect();
        let mut taken = 0;
        let outcome = each(
            &jobs,
            2,
            |job| *job,
            || (),
            |job| {
                taken += 1;
                if job == 5 { anyhow::bail!("the disk is full") } else { Ok(()) }
            },
        );
        assert!(outcome.is_err());
        assert_eq!(taken, 6);
    }
}
