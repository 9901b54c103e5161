//! The facade's data of each object, member by member, under the names of the wire.

use std::error::Error as _;
use std::fmt::Display;

use perennial::clearent::*;
use perennial::clientpay::{self, OpenInvoice, SavedPayer};
use perennial::{Date, Error, List, UnreadableRecord};
use perennial_oracle::{Claim, Conclusion, Told};

use crate::concluded;

/// An object as the facade reports it.
pub(crate) trait Tell {
    fn tell(&self) -> Told;
}

/// Lists the members of an object with their values.
macro_rules! tell {
    ($( $Object:ty { $( $member:literal: $value:ident, )* } )*) => {$(
        impl Tell for $Object {
            fn tell(&self) -> Told {
                Told::Object(vec![$( ($member.to_owned(), self.$value.text()), )*])
            }
        }
    )*};
}

/// A value as text, if there is one.
trait Value {
    fn text(&self) -> Option<String>;
}

impl<T: Display> Value for Option<T> {
    fn text(&self) -> Option<String> {
        self.as_ref().map(T::to_string)
    }
}

impl Value for Date {
    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

macro_rules! keys {
    ($($Key:ty),*) => {$(
        impl Value for $Key {
            fn text(&self) -> Option<String> {
                Some(self.as_str().to_owned())
            }
        }
    )*};
}

keys!(CustomerKey, PlanKey, TokenId);

tell! {
    Customer { "customer-key": customer_key, "first-name": first_name, "last-name": last_name, "email": email, }
    Token {
        "token-id": token_id,
        "customer-key": customer_key,
        "last-four-digits": last_four_digits,
        "exp-date": exp_date,
        "description": description,
    }
    CustomerToken {
        "token-id": token_id,
        "customer-key": customer_key,
        "last-four-digits": last_four_digits,
        "exp-date": exp_date,
        "default": is_default,
    }
    Plan {
        "plan-key": plan_key,
        "customer-key": customer_key,
        "token-id": token_id,
        "frequency": frequency,
        "frequency-day": frequency_day,
        "payment-amount": payment_amount,
        "start-date": start_date,
        "end-date": end_date,
        "status": status,
    }
    Payment {
        "transaction-id": transaction_id,
        "plan-key": plan_key,
        "customer-key": customer_key,
        "payment-amount": payment_amount,
        "status": status,
    }
    ExpectedRun { "date": date, "payment-amount": payment_amount, }
    Transaction {
        "id": id,
        "type": transaction_type,
        "amount": amount,
        "result": result,
        "result-code": result_code,
        "last-four": last_four,
        "exp-date": exp_date,
        "order-id": order_id,
        "invoice": invoice,
        "ref-id": ref_id,
        "partial-approved": partial_approved,
        "voided": voided,
        "pending": pending,
    }
    Batch {
        "id": id,
        "status": status,
        "net-amount": net_amount,
        "sales-total": sales_total,
        "refund-total": refund_total,
    }
    clientpay::Payment {
        "paymentID": payment_id,
        "requestID": request_id,
        "paymentStatus": payment_status,
        "paymentAmount": payment_amount,
        "surchargeAmount": surcharge_amount,
        "refundAmount": refund_amount,
        "originalPaymentID": original_payment_id,
    }
    OpenInvoice {
        "invoiceNumber": invoice_number,
        "invoiceDate": invoice_date,
        "outstandingBalance": outstanding_balance,
        "paymentAmount": payment_amount,
        "clientID": client_id,
    }
    SavedPayer { "payerId": payer_id, }
}

impl Tell for Date {
    fn tell(&self) -> Told {
        Told::Object(vec![(String::new(), Some(self.to_string()))])
    }
}

/// The claim about an existing object.
pub(crate) fn done(object: &impl Tell) -> Claim {
    Claim { conclusion: Conclusion::Done, told: vec![object.tell()] }
}

/// The claim about a list: its records, and whether it is complete.
pub(crate) async fn listed<T: Tell + Send + 'static>(mut list: List<T>) -> Claim {
    let mut told = Vec::new();
    while let Some(item) = list.next().await {
        match item.as_ref().map(Tell::tell).map_err(unreadable) {
            Ok(one) | Err(Some(one)) => told.push(one),
            Err(None) => {
                return item.err().map_or(Conclusion::Unusable, |error| concluded(true, &error)).into();
            }
        }
    }
    let conclusion = if list.changed() { Conclusion::Incomplete } else { Conclusion::Done };
    Claim { conclusion, told }
}

/// The claim about a list that is returned at once.
pub(crate) fn each<T: Tell>(answered: Result<Vec<Result<T, Error>>, Error>) -> Claim {
    let items = match answered {
        Ok(items) => items,
        Err(error) => return concluded(true, &error).into(),
    };
    let told = items.iter().map(|item| item.as_ref().map(Tell::tell).map_err(unreadable));
    let told: Option<Vec<_>> = told.map(|told| told.map_or_else(|unreadable| unreadable, Some)).collect();
    told.map_or_else(|| Conclusion::Unusable.into(), |told| Claim { conclusion: Conclusion::Done, told })
}

/// The record that cannot be read, according to an error.
fn unreadable(error: &Error) -> Option<Told> {
    let record = error.source()?.downcast_ref::<UnreadableRecord>()?;
    Some(Told::Unreadable(record.key().map(str::to_owned)))
}
