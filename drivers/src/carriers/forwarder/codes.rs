//! The event codes of the forwarder API: our own statuses by their names.

use twin::channel::TrackStatus::{self, *};

/// The status of a code.
pub fn status(code: &str) -> Option<TrackStatus> {
    Some(match code {
        "info_received" => InfoReceived,
        "accepted" => Accepted,
        "received_at_hub" => ReceivedAtHub,
        "export_cleared" => ExportCleared,
        "departed_origin" => DepartedOrigin,
        "in_flight" => InFlight,
        "arrived" => Arrived,
        "customs" => Customs,
        "import_cleared" => ImportCleared,
        "last_mile" => LastMile,
        "out_for_delivery" => OutForDelivery,
        "delivered" => Delivered,
        "delivery_failed" => DeliveryFailed,
        "available_for_pickup" => AvailableForPickup,
        "exception" => Exception,
        "returning" => Returning,
        "returned" => Returned,
        "lost" => Lost,
        _ => return None,
    })
}
