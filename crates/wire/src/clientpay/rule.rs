//! Rules of reading and writing the types of this vendor's records and requests; see the crate's `rule.rs`.

use perennial_domain::clientpay::{
    AccountKey, AccountNumber, AccountPin, AccountType, ConnectOption, CustomerKey, CustomerPin,
    EmailOptions, Emails, IntegratorKey, InvoiceDate, PageDuration, PageStatus, PayerId, PayerName,
    PaymentId, PaymentKind, PaymentMethodId, PaymentSource, PaymentStatus, Portion, RoutingNumber,
    SearchOption, State, UsedRequestId, WebAddress,
};
use perennial_domain::{Amount, Flag, Reported};

use super::fields::{Letter, Money, OrNull, Verbatim, WordOrNumber, id, yes_or_no};
use crate::failure::Failure;
use crate::fields::{amount, given, reported, reported_count, some_text, text};
use crate::member::Many;
use crate::rule::{Plain, Rule, Spelled, rules, spelled};
use crate::text::{Bare, Text};

rules! {
    Text to Option<PaymentId>: id, |id| some_text(id.as_ref());
    Text to Option<UsedRequestId>: id, |id| some_text(id.as_ref());
    Text to Option<PageStatus>:
        |_, word| Ok(given(word).map(|word| PageStatus::reported(&word))),
        |word| word.as_ref().map(|word| text(word.as_str()));
    Text to Option<PaymentStatus>:
        |_, word| Ok(given(word).map(|word| PaymentStatus::reported(&word))),
        |word| word.as_ref().map(|word| text(word.as_str()));
    Bare to Option<Reported<PaymentKind>>:
        |_, kind| Ok(reported(kind, |kind| kind.parse().ok().map(PaymentKind))),
        |kind| kind.as_ref().map(Bare::shown);
    Bare to Option<Reported<u64>>: |_, count| Ok(reported_count(count)), |count| count.as_ref().map(Bare::shown);
    Money to Option<Amount>:
        |name, number| amount(name, number.map(Text::from)),
        |amount| amount.as_ref().map(Spelled::spelled);
    Letter to Option<bool>:
        |name, letter| {
            let flag = |word: Text<'_>| yes_or_no(&word).ok_or_else(|| Failure::invalid(name));
            given(letter.map(|Letter(word)| word)).map(flag).transpose()
        },
        |flag| flag.map(Letter::from);
}

impl<'a, V> Rule<'a, OrNull<Text<'a>>, V> for Plain
where
    Plain: Rule<'a, Option<Text<'a>>, V>,
{
    fn read(name: &'static str, OrNull(member): OrNull<Text<'a>>) -> Result<V, Failure> {
        <Self as Rule<'a, Option<Text<'a>>, V>>::read(name, member)
    }

    fn show(value: &'a V) -> OrNull<Text<'a>> {
        OrNull(<Self as Rule<'a, Option<Text<'a>>, V>>::show(value))
    }
}

spelled! {
    words AccountType, PayerId, PaymentId, PaymentMethodId, PaymentSource, RoutingNumber, State, WebAddress;
    secrets AccountKey, AccountNumber, AccountPin, CustomerKey, CustomerPin, IntegratorKey;
    shown InvoiceDate
}

/// Declares how types are written in requests, as another scalar than text.
macro_rules! spelled_as {
    ($($Member:ident of $Value:ty: $spelled:expr;)*) => {$(
        impl<'a> Spelled<'a, $Member<'a>> for $Value {
            fn spelled(&'a self) -> $Member<'a> {
                let spelled: fn(&'a $Value) -> $Member<'a> = $spelled;
                spelled(self)
            }
        }
    )*};
}

spelled_as! {
    Bare of ConnectOption: |option| option.code().into();
    Bare of SearchOption: |option| option.code().into();
    Bare of PageDuration: |duration| u64::from(duration.get()).into();
    Letter of Flag: |flag| flag.0.into();
    Money of Amount: |amount| Money((*amount).into());
    Money of Portion: |portion| Money(portion.amount().into());
    Verbatim of EmailOptions: |options| Verbatim(options.as_json());
    // The vendor's sample has a word for the first, its table numbers for all.
    WordOrNumber of PayerName: |name| match name {
        PayerName::FirstLast => WordOrNumber::Word(text("firstLast")),
        PayerName::Business | PayerName::FirstLastBusiness => WordOrNumber::Number(name.code()),
    };
}

impl<'a> Spelled<'a, Many<Text<'a>>> for Emails {
    fn spelled(&'a self) -> Many<Text<'a>> {
        self.iter().map(text).collect()
    }
}
