//! Who is connected: how many in all and from each address, and who has to make room.
//!
//! A connection that waits for its peer (a half-sent head or body, an idle one) gives way to a new one, the oldest first, so
//! that nobody silences the site by holding connections. One that is being answered never gives way. Knows nothing of HTTP.

use super::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_PEER_MAX, Limit};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Default)]
pub struct Connections(Mutex<BTreeMap<u64, Arc<Connection>>>);

/// One connection, as long as somebody holds it.
pub struct Connection {
    peer: IpAddr,
    /// Requests whose head is here and whose answer is not given yet.
    under_way: AtomicUsize,
    /// Those of them whose body is still to come.
    coming_in: AtomicUsize,
    asked: AtomicUsize,
    cut: Notify,
}

/// A place among the connections; free again when dropped.
pub struct Place {
    all: Arc<Connections>,
    number: u64,
    pub connection: Arc<Connection>,
}

/// A request that is under way until this is dropped.
pub struct UnderWay(Arc<Connection>);

/// A body that is coming in until this is dropped.
pub struct ComingIn(Arc<Connection>);

/// A newcomer's place, and the limit that was reached on the way; no place where nobody gives way.
pub type Arrival = (Option<Place>, Option<Limit>);

impl Connections {
    pub fn arrive(self: &Arc<Self>, peer: IpAddr, number: u64) -> Arrival {
        // One host owns a whole IPv6 /64, and may come by IPv4 too.
        let peer = network(peer);
        let mut all = self.lock();
        let from_peer = all.values().filter(|c| c.peer == peer).count();
        let reached = if from_peer >= CONNECTIONS_PER_PEER_MAX {
            Some(Limit::ConnectionsPerPeer)
        } else if all.len() >= CONNECTIONS_MAX {
            Some(Limit::Connections)
        } else {
            None
        };
        if let Some(limit) = reached {
            let gives_way = |c: &Connection| c.is_waiting() && (limit == Limit::Connections || c.peer == peer);
            let oldest = all.iter().find(|(_, c)| gives_way(c)).map(|(number, _)| *number);
            let Some(connection) = oldest.and_then(|number| all.remove(&number)) else { return (None, reached) };
            connection.cut();
        }
        let connection = Arc::new(Connection::from(peer));
        all.insert(number, connection.clone());
        (Some(Place { all: self.clone(), number, connection }), reached)
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn from(peer: IpAddr) -> Self {
        let none = AtomicUsize::default;
        Connection { peer, under_way: none(), coming_in: none(), asked: none(), cut: Notify::new() }
    }

    pub fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Ends it, whatever it is doing.
    pub fn cut(&self) {
        self.cut.notify_one();
    }

    /// Returns when it is to end.
    pub async fn is_cut(&self) {
        self.cut.notified().await;
    }

    pub fn ask(self: &Arc<Self>) -> UnderWay {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    pub fn body_comes_in(self: &Arc<Self>) -> ComingIn {
        self.coming_in.fetch_add(1, Ordering::Relaxed);
        ComingIn(self.clone())
    }

    /// Whether it never came to ask anything.
    pub fn never_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed) == 0
    }

    fn is_waiting(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) <= self.coming_in.load(Ordering::Relaxed)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for ComingIn {
    fn drop(&mut self) {
        self.0.coming_in.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}

fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) if !ip.is_loopback() => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "192.0.2.1";

    fn fill(all: &Arc<Connections>, peer: &str, numbers: std::ops::Range<u64>) -> Vec<Place> {
        numbers.map(|n| all.arrive(peer.parse().unwrap(), n).0.expect("there is room")).collect()
    }

    #[tokio::test]
    async fn the_oldest_that_asks_nothing_gives_way_and_who_asks_never_does() {
        let all = Arc::new(Connections::default());
        let places = fill(&all, A, 0..CONNECTIONS_PER_PEER_MAX as u64);
        let asking = places[0].connection.ask();
        let (place, reached) = all.arrive(A.parse().unwrap(), 1_000);
        assert!(place.is_some() && reached == Some(Limit::ConnectionsPerPeer));
        places[1].connection.is_cut().await;
        assert_eq!(all.count(), CONNECTIONS_PER_PEER_MAX);
        assert!(all.arrive("192.0.2.2".parse().unwrap(), 1_001).1.is_none(), "others have their own places");
        drop(asking);
        let under_way: Vec<_> = places.iter().chain(&place).map(|p| p.connection.ask()).collect();
        assert!(all.arrive(A.parse().unwrap(), 1_002).0.is_none(), "nobody gives way");
        let slow = places[9].connection.body_comes_in();
        assert!(all.arrive(A.parse().unwrap(), 1_003).0.is_some(), "who does not send its body gives way");
        drop((under_way, slow));
        drop((places, place));
        assert_eq!(all.count(), 0);
    }

    #[test]
    fn all_together_have_a_limit_too() {
        let all = Arc::new(Connections::default());
        let places: Vec<_> = (0..CONNECTIONS_MAX as u64).map(|n| all.arrive(IpAddr::from([10, 0, (n >> 8) as u8, n as u8]), n).0).collect();
        let (place, reached) = all.arrive(A.parse().unwrap(), 9_999);
        assert!(place.is_some() && reached == Some(Limit::Connections));
        assert_eq!(all.count(), CONNECTIONS_MAX);
        drop(places);
    }

    #[test]
    fn one_network_is_one_peer() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1") && !same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1") && !same("192.0.2.1", "192.0.2.2") && !same("::1", "::2"));
    }
}
