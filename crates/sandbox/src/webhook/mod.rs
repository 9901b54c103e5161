//! Webhooks: the queue of deliveries, and the posts.

mod post;
mod queue;

pub(crate) use self::post::PATIENCE;
pub(crate) use self::queue::{Delivered, DeliveryQueue, Until, serve};
