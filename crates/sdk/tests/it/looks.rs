//! Reads before a write: the plans of a token before its deletion, and the plans that are equal to a new one.

use http::Method;
use perennial::clearent::{Plan, PlanStatus, TokenStatus, TokenUpdate};
use perennial::{Error, ErrorKind, Format};
use perennial_wire::clearent::{Page, Payload};

use crate::gateway::{Answer, Gateway, page, says};
use crate::operations::{new_plan, plan, right, token_id};
use crate::outcomes::refuses;

const HTML: &str = "<!DOCTYPE html><html><body>Sign in</body></html>";

/// Plans of a token, on two pages, on a day that the gateway reports.
#[tokio::test]
async fn a_token_is_deleted_only_when_no_plan_can_charge_it() {
    let of = |status: &str, end: &str| Plan {
        status: Some(PlanStatus::reported(status)),
        end_date: end.parse().ok(),
        token_id: Some(token_id()),
        ..plan()
    };
    let elsewhere = Plan { token_id: "1100000000555559999".parse().ok(), ..of("ACTIVE", "2099-12-31") };
    let unnamed = Plan { token_id: None, ..of("ACTIVE", "2099-12-31") };
    let table: Vec<(&str, Vec<Plan>, Option<fn() -> Answer>, Option<ErrorKind>)> = vec![
        ("no plan", vec![], None, None),
        ("a canceled one", vec![of("CANCELED", "2099-12-31")], None, None),
        ("one that is over", vec![of("ACTIVE", "2027-06-14")], None, None),
        ("one of another token, which was not asked for", vec![elsewhere], None, Some(ErrorKind::Mismatch)),
        ("an active one", vec![of("ACTIVE", "2027-06-15")], None, Some(ErrorKind::DeletionRefused)),
        ("a suspended one", vec![of("SUSPENDED", "2099-12-31")], None, Some(ErrorKind::DeletionRefused)),
        ("one of an odd status", vec![of("RESTING", "2099-12-31")], None, Some(ErrorKind::DeletionRefused)),
        ("one that names no token", vec![unnamed], None, Some(ErrorKind::DeletionRefused)),
        ("plans that fail", vec![], Some(|| says(503, "")), Some(ErrorKind::Unavailable)),
        ("plans that are a page of HTML", vec![], Some(|| says(200, HTML)), Some(ErrorKind::InvalidResponse)),
        (
            "plans that are refused",
            vec![],
            Some(|| refuses(Format::Json, 403, 403)),
            Some(ErrorKind::Unauthorized),
        ),
    ];
    for (what, plans, instead, expected) in table {
        for by_update in [false, true] {
            let plans = plans.clone();
            let gateway = Gateway::new(move |_, request| {
                let query = request.uri().query().unwrap_or_default();
                match (request.method(), request.uri().path()) {
                    (&Method::GET, "/rest/v2/payment-plans") => {
                        if let Some(instead) = instead {
                            return instead();
                        }
                        // The relevant plan is on the second page.
                        let second = query.contains("page=2");
                        let other =
                            Plan { plan_key: "plan_0".parse().unwrap(), ..of("CANCELED", "2099-12-31") };
                        let found = if second { plans.clone() } else { vec![other] };
                        let number = if second { 2 } else { 1 };
                        let total_pages = if plans.is_empty() { 1 } else { 2 };
                        let page_of =
                            Page { number: Some(number), total_pages: Some(total_pages), ..Page::default() };
                        let mut answer = page(Format::Json, page_of, Payload::Plans(found))?;
                        let date = "Tue, 15 Jun 2027 09:00:00 GMT".parse().unwrap();
                        answer.headers_mut().insert(http::header::DATE, date);
                        Ok(answer)
                    }
                    _ => right(Format::Json, request),
                }
            });
            let policy =
                perennial::transport::Policy { attempts: 1.try_into().unwrap(), ..Default::default() };
            let client = gateway.builder().retry(policy).build().unwrap();
            let gone = if by_update {
                let deleted = TokenUpdate::builder().status(TokenStatus::DELETED).build().unwrap();
                client.tokens().update(&token_id(), &deleted).await.map(drop)
            } else {
                client.tokens().delete(&token_id()).await.map(drop)
            };
            let kind = gone.as_ref().err().map(Error::kind);
            assert_eq!(kind, expected, "{what}: {gone:?}");
            let writes = gateway.asked().iter().filter(|request| request.method() != Method::GET).count();
            assert_eq!(writes, usize::from(expected.is_none()), "{what}");
        }
    }
}

#[tokio::test]
async fn plans_that_charge_the_same_are_found_on_any_page_or_not_known() {
    // It omits its day and term, which may be equal.
    let equal = plan();
    let canceled =
        Plan { status: Some(PlanStatus::CANCELED), plan_key: "plan_0".parse().unwrap(), ..equal.clone() };
    for (second, expected) in [
        (Some(vec![equal.clone()]), Ok(1)),
        (Some(vec![canceled.clone()]), Ok(0)),
        (None, Err(ErrorKind::InvalidResponse)),
    ] {
        let first = Plan { plan_key: "plan_1".parse().unwrap(), ..canceled.clone() };
        let gateway = Gateway::new(move |at, _| {
            let number = if at == 0 { 1 } else { 2 };
            let page_of = Page { number: Some(number), total_pages: Some(2), ..Page::default() };
            match (at, &second) {
                (0, _) => page(Format::Json, page_of, Payload::Plans(vec![first.clone()])),
                (_, Some(plans)) => page(Format::Json, page_of, Payload::Plans(plans.clone())),
                (_, None) => says(200, HTML),
            }
        });
        let client = gateway.client(Format::Json);
        let found = client.plans().find_equal(&new_plan()).await;
        assert_eq!(found.map(|plans| plans.len()).map_err(|error| error.kind()), expected);
        assert!(gateway.asked().iter().all(|request| request.method() == Method::GET));
    }
}
