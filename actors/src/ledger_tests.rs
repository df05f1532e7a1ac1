//! What is written when, what is let go when, and on whose account.

use super::*;
use crate::testing::house;
use crate::{Answer, Caller};
use std::sync::Mutex;
use twin::Because;
use twin::stock::{Movement, Stock};

type Heard = Arc<Mutex<Vec<(&'static str, Origin, Moment)>>>;

/// A house whose ledger takes 3 ms, in virtual time.
fn play(test: impl AsyncFnOnce(Arc<House>)) {
    let house = house();
    let runtime = drivers::clock::virtual_runtime(&house.clock).unwrap();
    runtime.block_on(async {
        let arguments = LedgerArguments { house: house.clone(), pace: Pace::Modelled(Span::from_ms(3)) };
        let (ledger, _) = Ledger::spawn(None, Ledger, arguments).await.unwrap();
        test(house).await;
        ledger.stop(None);
    });
}

/// What somebody says, and what is known when it is said: on whose account, and the hour.
fn tells(house: &Arc<House>, heard: &Heard, word: &'static str) -> Outgoing {
    let (heard, clock) = (heard.clone(), house.clock.clone());
    Outgoing::Answer(Answer::Written(Caller::new(move |()| heard.lock().unwrap().push((word, origin::current(), clock.now())))))
}

fn receive(house: &Arc<House>, host: &mut Host<Stock>, times: usize) -> Work {
    let mut work = house.work();
    for _ in 0..times {
        let one = host.state.next(Movement::Receive { quantity: 1, reference: "R".into() });
        host.command(&mut work, one).unwrap();
    }
    work
}

#[test]
fn nothing_is_let_go_before_it_is_written_and_each_on_its_account() {
    play(async |house| {
        let (heard, start) = (Heard::default(), house.clock.now());
        let mut host = Host::load(&house.twin, "SZX:own:A").unwrap();
        let mut work = receive(&house, &mut host, 3);
        work.say(tells(&house, &heard, "last"));
        work.say_on(Account::Nth(1), tells(&house, &heard, "first"));
        work.say_on(Account::By(By::Person("Li".into())), tells(&house, &heard, "by somebody"));
        house.commit(work);
        assert!(heard.lock().unwrap().is_empty());
        house.clock.sleep(Span::from_ms(5)).await;
        let because = |by, seq| Origin { by, because: Because::Record(seq) };
        let durable = start + Span::from_ms(3);
        assert_eq!(
            *heard.lock().unwrap(),
            [
                ("last", because(By::System, 3), durable),
                ("first", because(By::System, 1), durable),
                ("by somebody", because(By::Person("Li".into()), 3), durable)
            ]
        );
    });
}

#[test]
fn what_comes_while_a_group_is_written_waits_for_the_next() {
    play(async |house| {
        let (heard, start) = (Heard::default(), house.clock.now());
        let mut host = Host::load(&house.twin, "SZX:own:A").unwrap();
        for word in ["one", "two", "three"] {
            let mut work = receive(&house, &mut host, 1);
            work.say(tells(&house, &heard, word));
            house.commit(work);
        }
        house.clock.sleep(Span::from_ms(20)).await;
        let when: Vec<_> = heard.lock().unwrap().iter().map(|(word, _, at)| (*word, *at - start)).collect();
        assert_eq!(when, [("one", Span::from_ms(3)), ("two", Span::from_ms(6)), ("three", Span::from_ms(6))]);
    });
}

#[test]
fn whoever_falls_over_what_is_said_to_them_is_not_the_ledger() {
    play(async |house| {
        let heard = Heard::default();
        let mut host = Host::load(&house.twin, "SZX:own:A").unwrap();
        let mut work = receive(&house, &mut host, 1);
        work.say(Outgoing::Answer(Answer::Written(Caller::new(|()| panic!("the answer is not liked")))));
        work.say(tells(&house, &heard, "the next"));
        house.commit(work);
        house.clock.sleep(Span::from_ms(5)).await;
        let mut work = receive(&house, &mut host, 1);
        work.say(tells(&house, &heard, "a later one"));
        house.commit(work);
        house.clock.sleep(Span::from_ms(5)).await;
        assert_eq!(heard.lock().unwrap().iter().map(|(word, ..)| *word).collect::<Vec<_>>(), ["the next", "a later one"]);
        assert_eq!(house.twin.head().records, 2);
        assert!(house.twin.board().alarms[0].what.starts_with("a caller fell over"), "somebody sees it");
    });
}

#[test]
fn a_house_that_is_over_lets_nothing_out() {
    play(async |house| {
        let heard = Heard::default();
        let mut host = Host::load(&house.twin, "SZX:own:A").unwrap();
        let mut work = receive(&house, &mut host, 1);
        work.say(tells(&house, &heard, "too late"));
        house.commit(work);
        house.ledger.close();
        house.clock.sleep(Span::from_ms(20)).await;
        assert!(heard.lock().unwrap().is_empty());
        assert_eq!(house.twin.head().records, 1, "what was written stays");
    });
}
