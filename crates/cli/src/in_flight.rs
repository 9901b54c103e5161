//! A write in flight, as far as its request shows it: the ids by which it is found or retried safely,
//! and the command that looks for it. The rest of the body, which may hold a card, is not kept.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::Request;
use perennial::clearent::Operation;
use perennial::clientpay;
use serde::Deserialize;

use crate::lookup::{self, Line};
use crate::sent::route;

/// Ids of a write by which it is found, or retried safely.
pub(crate) type Ids = Vec<(&'static str, String)>;

/// Ids as a list in a sentence.
pub(crate) struct Listed<'a>(pub(crate) &'a Ids);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, id)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {id}")?;
            if *name == REQUEST_ID {
                write!(f, " (to repeat it safely: the same command with --request-id {id})")?;
            }
        }
        Ok(())
    }
}

const REQUEST_ID: &str = "request id";

/// The ids in the body of a write, in either format.
pub(crate) fn ids(request: &Request<Bytes>) -> Ids {
    let members = Members::of(request.body());
    let route = route(request);
    let named = |name, id: Option<Cow<'_, str>>| id.map(|id| (name, id.into_owned()));
    let ids = match route {
        Some(clientpay::Operation::ExpirePage) => [None, None],
        Some(_) => [named(REQUEST_ID, members.request_id()), None],
        None => [named("order id", members.order_id), named("invoice", members.invoice)],
    };
    ids.into_iter().flatten().collect()
}

/// The command that looks for the effect of a write, if the gateway can tell. The lookup of an error, which the
/// facade gives, is more precise; this one is for a run that ends before there is an error.
pub(crate) fn look_up(request: &Request<Bytes>) -> Option<Line> {
    let members = Members::of(request.body());
    if let Some(route) = route(request) {
        return match route {
            clientpay::Operation::NewAccessId | clientpay::Operation::ExpireAccessId => {
                Some(Line::new("perennial clientpay access current"))
            }
            clientpay::Operation::Refund => {
                Some(Line::new("perennial clientpay search").with("payment-id", members.payment_id))
            }
            _ => lookup::of_request(route.name(), &members.request_id()?),
        };
    }
    let (path, method) = (request.uri().path(), request.method().as_str());
    // A base URL may have a path of its own before it.
    let (operation, key) = path.match_indices('/').find_map(|(at, _)| Operation::at(method, &path[at..]))?;
    let named = |command, key: Option<&str>| Some(Line::new(command).word(key?));
    match operation {
        Operation::CreateCustomer => match &members.customer_key {
            Some(key) => named("perennial customers get", Some(key)),
            None => Some(
                Line::new("perennial customers search")
                    .with("first-name", members.first_name)
                    .with("last-name", members.last_name)
                    .with("email", members.email),
            ),
        },
        Operation::UpdateCustomer | Operation::DeleteCustomer => named("perennial customers get", key),
        Operation::AttachToken | Operation::UpdateCustomerToken => {
            named("perennial customers tokens list", key)
        }
        Operation::CreateToken => match &members.customer_key {
            Some(key) => named("perennial customers tokens list", Some(key)),
            None => Some(Line::new("perennial tokens search")),
        },
        Operation::UpdateToken | Operation::DeleteToken => named("perennial tokens get", key),
        Operation::CreatePlan => Some(
            Line::new("perennial plans search")
                .with("customer-key", members.customer_key)
                .with("token-id", members.token_id)
                .with("payment-amount", members.payment_amount)
                .with("plan-name", members.plan_name),
        ),
        Operation::UpdatePlan | Operation::DeletePlan => named("perennial plans get", key),
        Operation::Void => named("perennial transactions get", members.id.as_deref()),
        Operation::UpdateTransaction => named("perennial transactions get", key),
        Operation::Transact
        | Operation::Sale
        | Operation::ForcedSale
        | Operation::Auth
        | Operation::Capture
        | Operation::Refund
        | Operation::MobileTransact
        | Operation::MobileSale
        | Operation::MobileAuth
        | Operation::MobileRefund => match (&members.invoice, &members.order_id) {
            (Some(invoice), Some(order)) if invoice == order => {
                named("perennial invoice status", Some(invoice))
            }
            _ => Some(
                Line::new("perennial transactions search")
                    .with("type", members.kind)
                    .with("amount", members.amount)
                    .with("invoice", members.invoice)
                    .with("order-id", members.order_id)
                    .with("ref-id", members.id),
            ),
        },
        Operation::SettleBatch => Some(Line::new("perennial batches list")),
        _ => None,
    }
}

/// Declares the request members to look at.
macro_rules! members {
    ($( $field:ident: $name:literal, )*) => {
        /// Members of both vendors' requests, none of which holds a card.
        #[derive(Default, Deserialize)]
        struct Members<'a> {
            $( #[serde(borrow, rename = $name)] $field: Option<Cow<'a, str>>, )*
            #[serde(borrow, rename = "token")]
            session: Option<Session<'a>>,
        }

        impl<'a> Members<'a> {
            fn of(body: &'a [u8]) -> Self {
                if body.first() == Some(&b'<') {
                    Self { $( $field: element(body, $name), )* session: None }
                } else {
                    serde_json::from_slice(body).unwrap_or_default()
                }
            }
        }
    };
}

members! {
    request_id: "requestId",
    payment_id: "paymentId",
    customer_key: "customer-key",
    first_name: "first-name",
    last_name: "last-name",
    email: "email",
    token_id: "token-id",
    payment_amount: "payment-amount",
    plan_name: "plan-name",
    kind: "type",
    amount: "amount",
    id: "id",
    invoice: "invoice",
    order_id: "order-id",
}

#[derive(Deserialize)]
struct Session<'a> {
    #[serde(borrow, rename = "requestId")]
    request_id: Option<Cow<'a, str>>,
}

impl<'a> Members<'a> {
    /// The request id of ClientPay; its position differs between pages and payments.
    fn request_id(&self) -> Option<Cow<'a, str>> {
        self.request_id.clone().or_else(|| self.session.as_ref()?.request_id.clone())
    }
}

/// The text of an XML element as our own encoder writes it.
fn element<'a>(body: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let body = str::from_utf8(body).ok()?;
    let (_, rest) = body.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    let plain = |text: Cow<'a, str>, (entity, plain): (&str, &str)| {
        if text.contains(entity) { Cow::Owned(text.replace(entity, plain)) } else { text }
    };
    Some(entities.into_iter().fold(Cow::Borrowed(text), plain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::Again;

    #[test]
    fn ids_are_found_in_both_formats_and_nothing_else_is() {
        let post = |path: &str, body: &'static str| {
            Request::post(format!("https://gateway.test{path}")).body(Bytes::from(body)).unwrap()
        };
        for (path, body, expected) in [
            (
                "/rest/v2/transactions/sale",
                r#"{"card":"4111111111111111","order-id":"A \"7\"","invoice":"INV-1"}"#,
                r#"order id A "7", invoice INV-1"#,
            ),
            (
                "/rest/v2/transactions/sale",
                "<transaction><card>4111111111111111</card><order-id>A &amp; 7</order-id></transaction>",
                "order id A & 7",
            ),
            ("/rest/v2/transactions/sale", r#"{"card":"4111111111111111","csc":"999"}"#, ""),
            ("/rest/v2/transactions/700001", "", ""),
            ("/v2/expirepage", r#"{"requestId":"r-1"}"#, ""),
            (
                "/v2/payment",
                r#"{"token":{"requestId":"r-1","sessionId":"S"},"orderId":"A"}"#,
                "request id r-1 (to repeat it safely: the same command with --request-id r-1)",
            ),
        ] {
            assert_eq!(Listed(&ids(&post(path, body))).to_string(), expected, "{path} {body}");
        }
    }
    /// Interrupted writes of every kind are found, in either format.
    #[test]
    fn what_is_under_way_is_found() {
        let request = |method: &str, path: &str, body: &'static str| {
            let url = format!("https://gateway.test{path}");
            Request::builder().method(method).uri(url).body(Bytes::from(body)).unwrap()
        };
        let again = || Again::default();
        for (method, path, body, expected) in [
            (
                "POST",
                "/rest/v2/customers",
                r#"{"first-name":"Ada","last-name":"O'Byron"}"#,
                r"customers search --first-name Ada --last-name 'O'\''Byron'",
            ),
            (
                "POST",
                "/rest/v2/customers",
                "<customer><customer-key>m-7</customer-key><first-name>Ada</first-name></customer>",
                "customers get m-7",
            ),
            ("PUT", "/rest/v2/customers/m-7", "{}", "customers get m-7"),
            ("POST", "/rest/v2/customers/m-7/tokens", "{}", "customers tokens list m-7"),
            ("POST", "/rest/v2/tokens", r#"{"card":"4111111111111111"}"#, "tokens search"),
            (
                "POST",
                "/rest/v2/tokens",
                r#"{"card":"4111111111111111","customer-key":"m-7"}"#,
                "customers tokens list m-7",
            ),
            ("DELETE", "/rest/v2/tokens/1100000000555551111", "", "tokens get 1100000000555551111"),
            (
                "POST",
                "/rest/v2/payment-plans",
                r#"{"customer-key":"m-7","token-id":"1","payment-amount":"50.00","plan-name":"Gold"}"#,
                "plans search --customer-key m-7 --token-id 1 --payment-amount 50.00 --plan-name Gold",
            ),
            ("PUT", "/rest/v2/payment-plans/plan_1", "{}", "plans get plan_1"),
            (
                "POST",
                "/rest/v2/transactions/sale",
                r#"{"type":"SALE","amount":"25.00","card":"4111111111111111","order-id":"A-17"}"#,
                "transactions search --type SALE --amount 25.00 --order-id A-17",
            ),
            (
                "POST",
                "/rest/v2/mobile/transactions/sale",
                "<transaction><type>SALE</type><amount>25.00</amount></transaction>",
                "transactions search --type SALE --amount 25.00",
            ),
            (
                "POST",
                "/rest/v2/transactions/sale",
                r#"{"type":"SALE","invoice":"INV-1","order-id":"INV-1"}"#,
                "invoice status INV-1",
            ),
            (
                "POST",
                "/rest/v2/transactions/refund",
                r#"{"type":"REFUND","id":"700001","amount":"5.00"}"#,
                "transactions search --type REFUND --amount 5.00 --ref-id 700001",
            ),
            ("POST", "/rest/v2/transactions/void", r#"{"id":"700001"}"#, "transactions get 700001"),
            ("PUT", "/rest/v2/transactions/700001", "{}", "transactions get 700001"),
            ("PUT", "/rest/v2/batches/open", "{}", "batches list"),
            ("POST", "/v2/payment", r#"{"requestId":"r-1"}"#, "clientpay search --request-id r-1"),
            ("POST", "/v2/token/accessid", "{}", "clientpay access current"),
            ("POST", "/v2/paymentpage/invoice", r#"{"requestId":"r-1"}"#, ""),
        ] {
            let line = look_up(&request(method, path, body)).map(|line| line.again(&again()));
            let expected = Some(format!("perennial {expected}")).filter(|_| !expected.is_empty());
            assert_eq!(line, expected, "{method} {path} {body}");
        }
    }
}
