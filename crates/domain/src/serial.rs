//! The feature `serde`: values are serialized as their text on the wire.

use std::fmt;

use serde::de::{Error, Visitor};

use crate::InvalidValue;
use crate::clearent::{FrequencyDay, Reference};
use crate::clientpay::InvoiceDate;
use crate::{Amount, Date, Expiry, Month, Text, Total};

/// Serializes a type as its text, and deserializes it with its `TryFrom<&str>` or with a function.
macro_rules! as_text {
    ($Value:ident) => {
        $crate::serial::as_text!($Value: |text| Self::try_from(text));
    };
    ($Value:ident: $read:expr) => {
        impl serde::Serialize for $Value {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $Value {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::serial::FromText::<Self>($read))
            }
        }
    };
}

pub(crate) use as_text;

/// Deserializes a value from text by its own rules. The error names the rule but not the text.
pub(crate) struct FromText<T>(pub(crate) fn(&str) -> Result<T, InvalidValue>);

impl<T> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

// An object that a gateway reported may have a zero amount. Totals are not restricted.
as_text!(Amount: Self::reported);
as_text!(Total);
as_text!(Date);
as_text!(InvoiceDate);
as_text!(Month);
as_text!(Expiry);
as_text!(FrequencyDay);
as_text!(Reference);
as_text!(Text);

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{from_str, to_string};

    use super::*;
    use crate::clearent::{Batch, BatchStatus, Customer, Flag, Plan, PlanKey, PlanStatus, Transaction};
    use crate::clientpay::{PaymentStatus, Postback};
    use crate::{CardBrand, Reported};

    fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &str) -> T {
        let value: T = from_str(json).unwrap();
        assert_eq!(to_string(&value).unwrap(), json);
        assert_eq!(from_str::<T>(&to_string(&value).unwrap()).unwrap(), value);
        value
    }

    #[test]
    fn values_are_their_text() {
        there_and_back::<PlanKey>(r#""plan_0a1b2c3d4e5f""#);
        there_and_back::<Amount>(r#""50.00""#);
        assert_eq!(there_and_back::<Amount>(r#""0.00""#), Amount::ZERO);
        assert_eq!(there_and_back::<Total>(r#""-5.05""#).cents(), -505);
        there_and_back::<Date>(r#""2028-02-29""#);
        there_and_back::<InvoiceDate>(r#""2027-01-31""#);
        there_and_back::<Month>(r#""2027-12""#);
        there_and_back::<Expiry>(r#""1230""#);
        there_and_back::<FrequencyDay>(r#""28""#);
        there_and_back::<Reference>(r#""INV-1""#);
        there_and_back::<Text>(r#""Ada & Söhne""#);
        assert_eq!(there_and_back::<Flag>("true"), Flag(true));
        assert_eq!(there_and_back::<PlanStatus>(r#""ACTIVE""#), PlanStatus::ACTIVE);
        assert_eq!(there_and_back::<PlanStatus>(r#""PAUSED""#), PlanStatus::reported("paused"));
        assert_eq!(there_and_back::<PaymentStatus>(r#""Approved""#), PaymentStatus::APPROVED);
        assert_eq!(there_and_back::<CardBrand>(r#""VISA""#), CardBrand::VISA);
        assert_eq!(there_and_back::<Reported<bool>>("true"), Reported::Value(true));
        assert_eq!(there_and_back::<Reported<bool>>(r#""maybe""#), Reported::Other("maybe".to_owned()));
        assert_eq!(there_and_back::<Reported<u64>>("3"), Reported::Value(3));
        assert_eq!(there_and_back::<Reported<FrequencyDay>>(r#""31""#), Reported::Other("31".to_owned()));
        assert_eq!(from_str::<PlanStatus>(r#""cancelled""#).unwrap(), PlanStatus::CANCELED);
    }

    #[test]
    fn what_breaks_a_rule_is_refused_without_its_value() {
        fn refusal<T: DeserializeOwned + Debug>(json: &str) -> String {
            from_str::<T>(json).unwrap_err().to_string()
        }
        for (error, value) in [
            (refusal::<PlanKey>(r#""a/b""#), "a/b"),
            (refusal::<Amount>(r#""1,000.00""#), "1,000"),
            (refusal::<Amount>("50.5"), "no number is money"),
            (refusal::<Date>(r#""2027-02-29""#), "2027"),
            (refusal::<Expiry>(r#""1330""#), "1330"),
            (refusal::<FrequencyDay>(r#""29""#), "29"),
            (refusal::<Plan>(r#"{"plan_name":"Gold"}"#), "Gold"),
            (refusal::<Plan>(r#"{"plan_key":"plan_1","payment_amount":"fifty"}"#), "fifty"),
        ] {
            assert!(!error.contains(value), "{error}");
        }
    }

    #[test]
    fn objects_are_maps_of_their_fields() {
        let plan: Plan = from_str(
            r#"{"plan_key":"plan_1","status":"PAUSED","frequency_day":"31","payment_amount":"50.00",
                "email_receipt":true,"start_date":"2027-01-15","added":"later"}"#,
        )
        .unwrap();
        assert_eq!(plan.status, Some(PlanStatus::reported("PAUSED")));
        assert_eq!(from_str::<Plan>(&to_string(&plan).unwrap()).unwrap(), plan);

        let customer: Customer =
            from_str(r#"{"customer_key":"c1","billing_address":{"city":"Paris"}}"#).unwrap();
        assert_eq!(customer.billing_address.as_ref().unwrap().city.as_deref(), Some("Paris"));
        assert_eq!(from_str::<Customer>(&to_string(&customer).unwrap()).unwrap(), customer);

        let sale = Transaction { amount: Amount::try_from("9.99").ok(), ..Transaction::default() };
        assert_eq!(from_str::<Transaction>(&to_string(&sale).unwrap()).unwrap(), sale);

        let batch = Batch { status: Some(BatchStatus::OPEN), ..Batch::default() };
        assert_eq!(from_str::<Batch>(&to_string(&batch).unwrap()).unwrap(), batch);

        let postback: Postback = from_str(r#"{"payment":{"payment_id":"p1"}}"#).unwrap();
        assert_eq!(from_str::<Postback>(&to_string(&postback).unwrap()).unwrap(), postback);
    }

    #[test]
    fn a_card_number_in_a_kept_text_is_masked() {
        let read: Reported<Expiry> = from_str(r#"" 4111111111111111 ""#).unwrap();
        assert_eq!(read, Reported::Other("************1111".to_owned()));
    }
}
