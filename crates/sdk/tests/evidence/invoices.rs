//! An invoice is charged once, regardless of the gateway's response to the charge.

use std::sync::Arc;

use http::{Method, Request};
use perennial::Builder;
use perennial::clearent::{Charge, InvoicePayment};
use perennial::{Clearent, Invoice, InvoiceLine};
use perennial_oracle::{CASES, Case, Conclusion, Format, Reply, Tree, golden, judge, mutations};

use crate::clearent::{client, of};
use crate::{Faults, Gateway, concluded, json};

const NUMBER: &str = "INV-70412";

/// An approved and a declined sale, as charges of the invoice.
fn cases() -> Vec<Case> {
    let sales = CASES.iter().filter(|case| case.operation == "transactions.sale" && case.reply != "error");
    let sales = sales.filter(|case| ["transaction-approved", "transaction-declined"].contains(&case.reply));
    let of_the_invoice = sales.map(|case| Case {
        edits: &[("order-id", NUMBER), ("invoice", NUMBER)],
        if_present: &[("type", "SALE"), ("last-four", "1111"), ("order-id", NUMBER), ("invoice", NUMBER)],
        ..*case
    });
    of_the_invoice.collect()
}

fn invoice(case: &Case) -> Invoice {
    let amount = case.same.iter().find(|(member, _)| *member == "amount").unwrap().1;
    let line = InvoiceLine::builder().description("Labor").amount(amount);
    Invoice::builder().number(NUMBER).date("2027-01-04").line(line).build().unwrap()
}

fn card() -> Builder<Charge> {
    Charge::builder().card("4111111111111111").exp_date("1230")
}

/// The transaction in a reply, as a search lists it afterward.
fn transaction(format: Format, reply: &Reply) -> Option<Tree> {
    let document = Tree::read(format, &reply.body)?;
    let payload = document.all("payload").into_iter().next().cloned().unwrap_or(document);
    let found = payload.all("transaction").into_iter().next().cloned()?;
    matches!(&found, Tree::Members(members) if !members.is_empty()).then_some(found)
}

fn list(found: Option<&Tree>) -> Reply {
    let (count, item) = found.map_or((0, String::new()), |found| (1, found.write(Format::Json)));
    json(
        200,
        format!(
            r#"{{"code":"200","status":"success","exchange-id":"ID-1","page":{{"first":true,"last":true,"number":1,
            "number-of-elements":{count},"size":25,"total-elements":{count},"total-pages":1}},
            "payload":{{"transactions":{{"transaction":[{item}]}},"payloadType":"transactions"}}}}"#
        ),
    )
}

/// A gateway that responds to the charge with the reply, and then lists the transaction of the reply.
fn charging(reply: &Reply, listed: Option<Tree>) -> Arc<Gateway> {
    let (reply, charged) = (reply.clone(), std::sync::atomic::AtomicBool::new(false));
    Gateway::new(move |request: &Request<_>| {
        if request.method() == Method::GET {
            let charged = charged.load(std::sync::atomic::Ordering::Relaxed);
            return list(listed.as_ref().filter(|_| charged));
        }
        charged.store(true, std::sync::atomic::Ordering::Relaxed);
        reply.clone()
    })
}

async fn pay(case: &Case, client: &Clearent) -> Conclusion {
    match client.invoices().pay(&invoice(case), card()).await {
        Ok(InvoicePayment::Charged(made)) => of(case, &made.transaction),
        Ok(InvoicePayment::AlreadyPaid(before)) => of(case, &before),
        Ok(_) => Conclusion::Unknown,
        Err(error) => concluded(false, &error),
    }
}

/// Whether the reply, or the record that a search lists afterward, allows the conclusion.
fn allows(case: &Case, reply: &Reply, listed: Option<&Tree>, conclusion: Conclusion) -> bool {
    let record = listed.map(|found| {
        let found = Tree::Members(vec![("transaction".into(), found.clone())]);
        let text = |text: &str| Tree::Text(text.into());
        let envelope = |code, word| {
            vec![
                ("code".to_owned(), text(code)),
                ("status".into(), text(word)),
                ("payload".into(), found.clone()),
            ]
        };
        let refused = conclusion == Conclusion::Declined;
        let (status, word) = if refused { (402, "fail") } else { (200, "success") };
        json(status, Tree::Members(envelope(&status.to_string(), word)).write(Format::Json))
    });
    // A record found by the invoice's number shows whether it is paid, regardless of the card.
    let by_number = Case { present: &[], if_present: &[("type", "SALE"), ("order-id", NUMBER)], ..*case };
    judge(case, reply).allows(conclusion)
        || record.is_some_and(|record| judge(&by_number, &record).allows(conclusion))
}

/// Holds: An invoice is charged once, whatever the earlier replies show.
#[tokio::test(start_paused = true)]
async fn an_invoice_is_charged_once() {
    let mut faults = Faults::default();
    for case in &cases() {
        for &format in case.formats() {
            let right = golden(case, format);
            for mutation in mutations(case, format) {
                let listed = transaction(format, &mutation.reply);
                let gateway = charging(&mutation.reply, listed.clone());
                let client = client(&gateway, format);
                let first = pay(case, &client).await;
                let what = format!("{} {format:?}", case.name());
                if !allows(case, &mutation.reply, listed.as_ref(), first) {
                    faults.add(&what, &format!("{}: {first:?}", mutation.name));
                }
                let again = (pay(case, &client).await, pay(case, &client).await);
                // A charge that is listed and not declined is never made again.
                let may_repeat = listed.as_ref().is_none_or(|found| {
                    let kind = found.scalar("type").ok().flatten().unwrap_or_default();
                    if ["AUTH", "VOID", "REFUND"].contains(&kind) {
                        return true;
                    }
                    let declined = [Conclusion::Declined, Conclusion::NotDone];
                    declined.iter().any(|&no| allows(case, &mutation.reply, Some(found), no))
                });
                let sent = gateway.writes().len();
                if sent != 1 && !may_repeat {
                    let fault = format!("{}: charged {sent} times: {first:?}, then {again:?}", mutation.name);
                    faults.add(&what, &fault);
                }
            }
            assert!(
                judge(case, &right).allows(Conclusion::Done)
                    || judge(case, &right).allows(Conclusion::Declined)
            );
        }
    }
    faults.assert_none();
}
