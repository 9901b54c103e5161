//! Payments made by plans.

use perennial_wire::clearent::{Payload, payment};

use super::answer::Answer;
use super::{Call, Handled, act};

pub(super) fn list(call: &mut Call<'_>) -> Handled {
    let search = payment::read_search(call.query)?;
    act(move |session, _| {
        let (payments, page) = session.payments(search)?;
        Ok(Answer::page(Payload::Payments(payments), page))
    })
}
