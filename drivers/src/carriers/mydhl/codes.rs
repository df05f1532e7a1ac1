//! DHL Express checkpoints in our vocabulary (the carrier's own status list, service `express`).
//!
//! The same code means different things before and after the parcel has left: a facility is a hub until the first
//! departure and an arrival after it. A code that is not in the list is an exception, so that a person looks at it.

use twin::channel::TrackStatus::{self, *};

/// The status of a checkpoint and the carrier's name for it. `departed`: an earlier event was a departure.
pub fn status(code: &str, departed: bool) -> Option<(TrackStatus, &'static str)> {
    Some(match code {
        "PU" => (Accepted, "Shipment pick up"),
        "SA" => (Accepted, "Shipment acceptance"),
        "AF" if departed => (Arrived, "Arrived facility"),
        "AF" => (ReceivedAtHub, "Arrived facility"),
        "PL" if departed => (Arrived, "Processed at location"),
        "PL" => (ReceivedAtHub, "Processed at location"),
        "DF" if departed => (InFlight, "Depart facility"),
        "DF" => (DepartedOrigin, "Depart facility"),
        "SM" => (InFlight, "Scheduled for movement"),
        "TR" => (InFlight, "Record of transfer"),
        "FD" => (InFlight, "Forward destination (DD's expected)"),
        "SC" => (InFlight, "Service changed"),
        "IC" => (Customs, "In clearance processing"),
        "BN" => (Customs, "Customer broker notified"),
        "RR" => (Customs, "Response received"),
        "PY" => (Customs, "Payment"),
        "CR" => (ImportCleared, "Clearance release"),
        "BR" => (ImportCleared, "Broker release"),
        "AR" => (LastMile, "Arrival in delivery facility"),
        "TP" => (LastMile, "Forwarded to 3rd party - no DD's"),
        "AD" => (LastMile, "Agreed delivery"),
        "WC" => (OutForDelivery, "With delivering courier"),
        "OK" => (Delivered, "Delivery"),
        // Damaged, but at its destination: nothing more will come.
        "DD" => (Delivered, "Delivered damaged"),
        "CC" => (AvailableForPickup, "Awaiting cnee collection"),
        "NH" => (DeliveryFailed, "Not home"),
        "ND" => (DeliveryFailed, "Not delivered"),
        "CA" => (DeliveryFailed, "Closed on arrival"),
        "MD" => (DeliveryFailed, "Missed delivery cycle"),
        "BA" => (Exception, "Bad address"),
        "CD" => (Exception, "Controllable clearance delay"),
        "UD" => (Exception, "Uncontrollable clearance delay"),
        "CM" => (Exception, "Customer moved"),
        "HP" => (Exception, "Held for payment"),
        "MC" => (Exception, "Miscode"),
        "MS" => (Exception, "Mis-sort"),
        "OH" => (Exception, "On hold"),
        "PD" => (Exception, "Partial delivery"),
        "RD" => (Exception, "Refused delivery"),
        "SS" => (Exception, "Shipment stopped"),
        "RT" => (Returned, "Returned to consignor"),
        // Closed without a delivery, or destroyed: nobody will get it.
        "CS" => (Lost, "Closed shipment"),
        "DS" => (Lost, "Destroyed / disposal"),
        // The four that stand for a whole shipment.
        "104" => (InfoReceived, "pre-transit"),
        "102" => (InFlight, "transit"),
        "101" => (Delivered, "delivered"),
        "103" => (Exception, "failure"),
        _ => return None,
    })
}
