//! Lives of subscriptions over the sandbox, held against its own records.

use perennial_billing::{CancelAt, DayState, Status, SubscriptionChange, TermStatus};

use crate::support::{World, by, days};

/// Holds: A subscription charges each month beyond the twelve months of a plan, each due day once.
#[tokio::test]
async fn a_subscription_is_renewed_before_a_day_is_missed() {
    let world = World::new().await;
    world.billing.start(&world.gold("M-1", 15)).await.unwrap();
    world.billing.work().await.unwrap();
    world.until("2028-03-20").await;
    let member = world.member("M-1").await;
    let paid: Vec<_> = member.days.values().filter(|day| day.state == DayState::Paid).collect();
    assert_eq!(paid.len(), 15, "{:#?}", days(&member));
    assert_eq!(member.terms.len(), 2);
    assert_eq!(member.terms[0].status, TermStatus::Closed);
    assert_eq!(member.terms[1].status, TermStatus::Active);
    let charges = world.billing.charges(&member.subscription).await.unwrap();
    assert_eq!(charges.len(), 15);
}
