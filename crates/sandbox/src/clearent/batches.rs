//! Batches: transactions that are settled together, by request or once a day.

use perennial_domain::clearent::{Settlement, SettlementFields};
use perennial_wire::clearent::{Payload, batch};

use super::answer::{Answer, Refused};
use super::{Call, Handled, LIMITS, act};

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = batch::read_search(call.query)?;
    act(move |session, _| {
        let (batches, page) = session.batches(search)?;
        Ok(Answer::page_or_nothing(Payload::Batches(batches), page))
    })
}

pub(super) fn open(_: &mut Call<'_>) -> Handled {
    act(|session, _| match session.open_batch()? {
        Some((number, _)) => Ok(Answer::ok(Payload::Batch(Box::new(session.batch(number)?)))),
        None => Ok(Answer::nothing()),
    })
}

/// Settles the open batch. Figures in the request must equal those of the batch.
pub(super) fn settle(call: &mut Call<'_>) -> Handled {
    // Newer pages of the vendor know no figures in the body, so that there may be none.
    let settlement = match call.body.trim_ascii() {
        [] => Settlement::builder().accept()?,
        body => batch::read_settle(call.format, body, &LIMITS)?,
    };
    act(move |session, _| {
        let Some((number, _)) = session.open_batch()? else {
            return Err(Refused::business("040", "No Opened Batch").into());
        };
        let open = session.batch(number)?;
        let SettlementFields { total_count, net_amount } = settlement.fields();
        let differs = [
            ("total-count", total_count.is_some_and(|count| Some(count.0) != open.total_count)),
            ("net-amount", net_amount.is_some_and(|amount| Some(*amount) != open.net_amount)),
        ];
        let differs: Vec<&str> =
            differs.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
        if !differs.is_empty() {
            // The vendor lists 038 and 039 as "reconciliation"; that this is one of them is inferred.
            let message = format!("the open batch does not come to this: {}", differs.join(", "));
            return Err(Refused::business("038", message).into());
        }
        session.settle_batch(number, session.now)?;
        Ok(Answer::ok(Payload::Batch(Box::new(session.batch(number)?))))
    })
}
