//! The conclusions that a reply of ClientPay allows (reference, sections 5 to 10; direct responses are inferred there).

use crate::clearent::cents;
use crate::records::objects;
use crate::{Allowed, Case, Conclusion, Expect, Format, Reply, Tree};

/// The names of members that are evidence of a write, at any depth; only letters, in lower case.
const EFFECTS: [&str; 11] = [
    "id",
    "paymentid",
    "originalpaymentid",
    "transactionid",
    "paymentstatus",
    "paymentpageurl",
    "payerpageurl",
    "payerid",
    "paymentmethodids",
    "refundamount",
    "requestid",
];

pub(crate) fn judge(case: &Case, reply: &Reply) -> Allowed {
    // A changed or deleted object need not be repeated, and an id need not be wrapped (inferred: the vendor shows no
    // responses).
    let needs_nothing = case.present.is_empty() && case.same.is_empty() && case.expect != Expect::Charge;
    let is_write = matches!(case.expect, Expect::Write | Expect::Delete);
    if reply.body.is_empty() && reply.status == 204 && needs_nothing && is_write {
        return Allowed::of(&[Conclusion::Done]);
    }
    let Some(tree) = Tree::read(Format::Json, &reply.body) else { return Allowed::of(&[]) };
    let is_id = case.operation.starts_with("access.") || case.operation.starts_with("request-id.");
    let is_bare = matches!(tree, Tree::Text(_)) && (is_id || needs_nothing && is_write);
    if is_bare && (200..300).contains(&reply.status) {
        return Allowed::of(&[Conclusion::Done]);
    }
    let is_list = matches!(tree, Tree::List(_)) && case.expect == Expect::List;
    if is_list && (200..300).contains(&reply.status) {
        return Allowed::of(&[Conclusion::Done]);
    }
    if !matches!(tree, Tree::Members(_)) {
        return Allowed::of(&[]);
    }
    // A record with a repeated member makes only itself unreadable.
    let around =
        case.list.map_or_else(|| tree.clone(), |list| crate::records::without_records(&tree, list.path));
    if around.has_doubles(Format::Json) {
        return Allowed::of(&[]);
    }
    let Ok(success) = tree.scalar("success") else { return Allowed::of(&[]) };
    let done_by_http = (200..300).contains(&reply.status);
    let refused_by_http = (400..500).contains(&reply.status) && ![408, 425].contains(&reply.status);
    let mut allowed = Vec::new();
    let is_success = success.is_none_or(|success| success == "true");
    if done_by_http && is_success && !has_errors(&tree) {
        match case.expect {
            Expect::Look => allowed.extend(found(case, &objects(case, Format::Json, &tree))),
            Expect::List => allowed.extend(
                case.list
                    .filter(|list| is_listed(&tree, list.path[0]))
                    .map_or(&[][..], |_| &[Conclusion::Done, Conclusion::Incomplete]),
            ),
            _ if is_done(case, &tree) => allowed.push(Conclusion::Done),
            _ => {}
        }
    }
    // The statement that an id is not valid is a definite response, both with a refusal and with a success.
    let is_not_valid =
        case.operation.starts_with("access.validate") && tree.scalar("isValid") == Ok(Some("false"));
    if is_not_valid
        && (done_by_http && is_success && !has_errors(&tree) || refused_by_http && success.is_none())
    {
        allowed.push(Conclusion::Absent);
    }
    // A declined payment is a status, too.
    let status = case.list.is_none() && case.expect == Expect::Look;
    if (case.operation == "payments.pay" && case.list.is_none() || status)
        && success != Some("true")
        && is_declined(case, &tree, &["paymentAmount"])
    {
        allowed.push(Conclusion::Declined);
    }
    let says_no = success.is_some_and(|success| success.eq_ignore_ascii_case("false"));
    let refuses =
        refused_by_http && success.is_none() && tree.scalar("message").is_ok_and(|told| told.is_some());
    if (says_no && (done_by_http || refused_by_http) || refuses) && !names_an_effect(&tree) {
        allowed.extend(refusal(case, reply.status));
    }
    Allowed(allowed)
}

/// The conclusions that a plain refusal of a call allows.
fn refusal(case: &Case, status: u16) -> Vec<Conclusion> {
    let is_of_access = [401, 403].contains(&status);
    match case.expect {
        Expect::Write | Expect::Delete | Expect::Charge => vec![Conclusion::NotDone],
        // The response to the payment itself was lost: no lookup turns that into a definite refusal.
        Expect::Look if case.operation == "payments.pay" => Vec::new(),
        Expect::Read if case.operation.starts_with("access.validate") => {
            vec![Conclusion::Absent, Conclusion::Unauthorized]
        }
        _ if is_of_access => vec![Conclusion::Unauthorized],
        Expect::Read if case.operation == "access.current" => vec![Conclusion::Absent],
        _ if status == 404 => vec![Conclusion::Absent],
        _ => Vec::new(),
    }
}

/// Whether a response has errors, which contradict a success.
fn has_errors(tree: &Tree) -> bool {
    tree.all("errors").into_iter().any(|error| match error {
        Tree::Text(text) => !text.trim().is_empty(),
        Tree::Bare(bare) => bare != "null",
        Tree::Members(members) => !members.is_empty(),
        Tree::List(items) => !items.is_empty(),
    })
}

fn is_listed(tree: &Tree, name: &str) -> bool {
    tree.members()
        .iter()
        .any(|(member, value)| member == name && matches!(value, Tree::List(_) | Tree::Members(_)))
}

/// Whether the document names a result of the request: a payment, a page, a payer, or the request itself.
fn names_an_effect(tree: &Tree) -> bool {
    let filled = |value: &Tree| match value {
        Tree::Text(text) => !text.trim().is_empty(),
        Tree::Bare(bare) => bare != "null",
        Tree::List(items) => !items.is_empty(),
        Tree::Members(members) => !members.is_empty(),
    };
    let letters = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let named = |(name, value): &(String, Tree)| {
        // The statement that a request id was used says that its request was executed.
        let says_so = matches!(value, Tree::Text(text) if letters(text).contains("requestid"));
        EFFECTS.contains(&letters(name).as_str()) && filled(value) || says_so || names_an_effect(value)
    };
    match tree {
        Tree::List(items) => items.iter().any(names_an_effect),
        _ => tree.members().iter().any(named),
    }
}

/// The conclusions from the records of a request. Several payments of one request are inconclusive, and so is a record
/// that cannot be read.
fn found(case: &Case, records: &[&Tree]) -> Vec<Conclusion> {
    let asked = |member: &str| case.same.iter().find(|(name, _)| *name == member).map(|(_, asked)| *asked);
    let (request, amount) = (asked("requestID"), asked("paymentAmount"));
    let is_lost_payment = case.operation == "payments.pay";
    if records.is_empty() {
        return if is_lost_payment { Vec::new() } else { vec![Conclusion::Absent] };
    }
    let mut payments: Vec<(&str, Option<i64>, i64)> = Vec::new();
    let mut all_declined = true;
    for record in records {
        let text = |member: &str| record.scalar(member).map_err(|_| ());
        let (Ok(id), Ok(status), Ok(own), Ok(said)) =
            (text("paymentID"), text("paymentStatus"), text("requestID"), text("paymentAmount"))
        else {
            return Vec::new();
        };
        let is_readable = matches!(record, Tree::Members(_)) && !record.has_doubles(Format::Json);
        if !is_readable || said.is_some_and(|said| cents(said).is_none()) {
            return Vec::new();
        }
        if own.is_some() && own != request {
            all_declined = false;
            continue;
        }
        let is_ours = own == request && text("originalPaymentID") == Ok(None);
        let is_of_amount = said.and_then(cents) == amount.and_then(cents);
        let success = text("success").ok().flatten();
        let declined = matches!(status, Some("Declined" | "Error"))
            && is_ours
            && success != Some("true")
            && (said.is_none() || is_of_amount);
        all_declined &= declined;
        if declined {
            continue;
        }
        let approved = status == Some("Approved") && is_ours && is_of_amount && success != Some("false");
        let surcharge = text("surchargeAmount").ok().flatten().and_then(cents).unwrap_or_default();
        match (approved, id) {
            (true, Some(id)) => payments.push((id, said.and_then(cents), surcharge)),
            // A surcharge is a separate payment with another amount.
            (false, Some(id)) if status == Some("Approved") && is_ours => {
                payments.push((id, said.and_then(cents), -1));
            }
            // A page on which nobody has paid has no payment yet.
            (_, None)
                if record.scalar("paymentPageUrlStatus").is_ok_and(|status| status.is_some())
                    && status.is_none() =>
            {
                return if records.len() == 1 && !is_lost_payment {
                    vec![Conclusion::Absent]
                } else {
                    Vec::new()
                };
            }
            // The same payment before it was approved.
            (_, id)
                if status == Some("Processing")
                    && payments.iter().all(|(other, ..)| id.is_none_or(|id| id == *other)) => {}
            _ => return Vec::new(),
        }
    }
    payments.dedup_by_key(|(id, ..)| *id);
    let surcharged =
        |main: i64, (_, amount, own): &(&str, Option<i64>, i64)| *own == -1 && *amount == Some(main);
    match &payments[..] {
        [] if all_declined => vec![Conclusion::Declined],
        [(_, _, own)] if *own >= 0 => vec![Conclusion::Done],
        [(_, _, main), other] | [other, (_, _, main)] if *main > 0 && surcharged(*main, other) => {
            vec![Conclusion::Done]
        }
        _ => Vec::new(),
    }
}

fn is_done(case: &Case, tree: &Tree) -> bool {
    let Ok(status) = tree.scalar("paymentStatus") else { return false };
    let fits = match (case.operation, case.expect) {
        ("payments.pay", _) => status == Some("Approved"),
        ("payments.refund", _) => matches!(status, Some("Approved" | "Voided" | "Refunded")),
        (_, Expect::Charge) => false,
        _ => true,
    };
    // The reply to a change or a delete only says that it was done.
    let is_named =
        case.if_present.iter().any(|(member, _)| tree.scalar(member).is_ok_and(|said| said.is_some()))
            || tree.scalar("payerId").is_ok_and(|said| said.is_some());
    let says_so = is_named
        || !case.present.is_empty()
        || !case.same.is_empty()
        || tree.scalar("success") == Ok(Some("true"));
    fits && says_so && is_ours(case, tree, &[])
}

fn is_declined(case: &Case, tree: &Tree, optional: &[&str]) -> bool {
    let status = tree.scalar("paymentStatus");
    matches!(status, Ok(Some("Declined" | "Error"))) && is_ours(case, tree, optional)
}

/// Whether the reply has the requested values; members in `optional` may be missing.
fn is_ours(case: &Case, tree: &Tree, optional: &[&str]) -> bool {
    let present = !optional.is_empty()
        || case.present.iter().all(|member| tree.scalar(member).is_ok_and(|said| said.is_some()));
    let same = case.same.iter().all(|(member, asked)| match tree.scalar(member) {
        Ok(Some(said)) if member.ends_with("Amount") => cents(said).is_some() && cents(said) == cents(asked),
        Ok(Some(said)) => said.eq_ignore_ascii_case(asked),
        Ok(None) => optional.contains(member),
        Err(_) => false,
    });
    let fits = case
        .if_present
        .iter()
        .all(|(member, asked)| tree.scalar(member).is_ok_and(|said| said.is_none_or(|said| said == *asked)));
    present && same && fits
}
