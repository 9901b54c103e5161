//! What a reply of ClientPay allows to conclude (reference, sections 5 to 10; direct answers are inferred there).

use crate::clearent::cents;
use crate::{Allowed, Case, Conclusion, Expect, Format, Reply, Tree};

/// Members that name an effect of a write.
const EFFECTS: [&str; 7] = [
    "paymentID",
    "originalPaymentID",
    "paymentPageUrl",
    "payerPageUrl",
    "payerId",
    "paymentMethodIds",
    "refundAmount",
];

pub(crate) fn judge(case: &Case, reply: &Reply) -> Allowed {
    let Some(tree) = Tree::read(Format::Json, &reply.body) else { return Allowed::of(&[]) };
    if !matches!(tree, Tree::Members(_)) || tree.has_doubles(Format::Json) {
        return Allowed::of(&[]);
    }
    let (Ok(success), Ok(status)) = (tree.scalar("success"), tree.scalar("paymentStatus")) else {
        return Allowed::of(&[]);
    };
    let done_by_http = (200..300).contains(&reply.status);
    let refused_by_http = (400..500).contains(&reply.status) && ![408, 425].contains(&reply.status);
    let mut allowed = Vec::new();
    if done_by_http && success.is_none_or(|success| success == "true") && is_done(case, &tree, status) {
        allowed.push(Conclusion::Done);
    }
    let declines = matches!(status, Some("Declined" | "Error"));
    if case.operation == "payments.pay"
        && declines
        && success != Some("true")
        && is_ours(case, &tree, &["paymentAmount"])
    {
        allowed.push(Conclusion::Declined);
    }
    let filled = |name: &&str| {
        tree.all(name).into_iter().any(|value| !matches!(value, Tree::Bare(bare) if bare == "null"))
    };
    let names_an_effect = EFFECTS.iter().any(&filled) || filled(&"paymentStatus");
    let says_no = success.is_some_and(|success| success.eq_ignore_ascii_case("false"));
    let refuses =
        refused_by_http && success.is_none() && tree.scalar("message").is_ok_and(|told| told.is_some());
    if (says_no && (done_by_http || refused_by_http) || refuses) && !names_an_effect {
        allowed.push(Conclusion::NotDone);
    }
    Allowed(allowed)
}

fn is_done(case: &Case, tree: &Tree, status: Option<&str>) -> bool {
    let fits = match (case.operation, case.expect) {
        ("payments.pay", _) => status == Some("Approved"),
        ("payments.refund", _) => matches!(status, Some("Approved" | "Voided" | "Refunded")),
        (_, Expect::Charge) => false,
        _ => true,
    };
    // Whether there is a page or a payer is all that its reply says.
    let has_key = !case.present.is_empty() || !case.same.is_empty();
    fits && has_key && is_ours(case, tree, &[])
}

/// Whether the reply has what was asked for; the members that are `optional` may be missing.
fn is_ours(case: &Case, tree: &Tree, optional: &[&str]) -> bool {
    let present = !optional.is_empty()
        || case.present.iter().all(|member| tree.scalar(member).is_ok_and(|said| said.is_some()));
    let same = case.same.iter().all(|(member, asked)| match tree.scalar(member) {
        Ok(Some(said)) if member.ends_with("Amount") => cents(said).is_some() && cents(said) == cents(asked),
        Ok(Some(said)) => said == *asked,
        Ok(None) => optional.contains(member),
        Err(_) => false,
    });
    let fits = case
        .if_present
        .iter()
        .all(|(member, asked)| tree.scalar(member).is_ok_and(|said| said.is_none_or(|said| said == *asked)));
    present && same && fits
}
