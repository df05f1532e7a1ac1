//! USPS scan events (Publication 199, appendix G) in our vocabulary.
//!
//! A code that is not in the table: an older event counts as in flight, which claims nothing but that the parcel moves;
//! the newest takes its meaning from the item's `statusCategory`, and where that says nothing either it is an exception,
//! so that a person looks at it.

use twin::channel::TrackStatus::{self, *};

/// The status of an event code and the text USPS usually gives with it.
pub fn status(code: &str) -> Option<(TrackStatus, &'static str)> {
    Some(match code {
        "GX" => (InfoReceived, "Shipping Label Created, USPS Awaiting Item"),
        "MA" => (InfoReceived, "Pre-Shipment Info Sent to USPS"),
        "80" => (InfoReceived, "Picked Up by Shipping Partner, USPS Awaiting Item"),
        "81" => (InfoReceived, "Arrived Shipping Partner Facility, USPS Awaiting Item"),
        "82" => (InfoReceived, "Departed Shipping Partner Facility, USPS Awaiting Item"),
        "03" => (Accepted, "USPS in possession of item"),
        "OA" => (Accepted, "Accepted at USPS Origin Facility"),
        "PA" | "TM" => (Accepted, "Shipment Received, Package Acceptance Pending"),
        "SF" => (Accepted, "Departed Post Office"),
        "10" => (ReceivedAtHub, "Arrived at USPS Regional Origin Facility"),
        "T1" | "EF" => (DepartedOrigin, "Departed USPS Regional Facility"),
        "TL" | "NT" => (InFlight, "In Transit to Next Facility"),
        "A1" => (Arrived, "Arrived at USPS Regional Facility"),
        "07" => (LastMile, "Arrived at Post Office"),
        "PC" => (LastMile, "Sorting Complete"),
        "17" => (LastMile, "Tendered to Agent for Final Delivery"),
        "OF" => (OutForDelivery, "Out for Delivery"),
        "01" => (Delivered, "Delivered"),
        "43" => (Delivered, "Picked Up"),
        "02" => (DeliveryFailed, "Notice Left"),
        "51" => (DeliveryFailed, "Business Closed"),
        "52" => (DeliveryFailed, "Notice Left"),
        "53" => (DeliveryFailed, "Receptacle Blocked"),
        "54" => (DeliveryFailed, "Receptacle Full or Item Oversized"),
        "55" => (DeliveryFailed, "No Secure Location Available"),
        "56" => (DeliveryFailed, "No Authorized Recipient Available"),
        "14" => (AvailableForPickup, "Arrived at Pickup Point"),
        "16" => (AvailableForPickup, "Available for Pickup"),
        "04" => (Exception, "Refused"),
        "05" => (Exception, "Undeliverable as Addressed"),
        "06" => (Exception, "Forwarded"),
        "08" => (Exception, "Missent"),
        "15" => (Exception, "Mis-shipped"),
        "DX" => (Exception, "Delivery Status Not Updated"),
        "09" => (Returning, "Return to Sender"),
        "21" => (Returning, "No Such Number"),
        "22" => (Returning, "Insufficient Address"),
        "23" => (Returning, "Moved, Left No Address"),
        "24" => (Returning, "Forward Expired"),
        "25" => (Returning, "Addressee Unknown"),
        "26" => (Returning, "Vacant"),
        "27" => (Returning, "Unclaimed"),
        "28" => (Returning, "Deceased"),
        "29" | "31" => (Returning, "Return to Sender"),
        "44" => (Returning, "Customer Recall"),
        // To the Mail Recovery Center: nobody will get it.
        "11" => (Lost, "Dead Letter"),
        _ => return None,
    })
}

/// What the item's `statusCategory` says of its newest event.
pub fn category(text: &str) -> TrackStatus {
    match text {
        "Pre-Shipment" => InfoReceived,
        "Accepted" => Accepted,
        "In Transit" => InFlight,
        "Out for Delivery" => OutForDelivery,
        "Delivered" => Delivered,
        "Delivery Attempt" => DeliveryFailed,
        "Available for Pickup" => AvailableForPickup,
        "Return to Sender" => Returning,
        _ => Exception,
    }
}
