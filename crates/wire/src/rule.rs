//! Rules of reading and writing the members of records and requests: one rule for each type.
//!
//! Keys, money, and the days and flags that decide about it are never guessed: an unreadable value is an error. Words
//! are kept unchanged, even unknown ones. Details that move no money are kept as text if they cannot be read.

use std::borrow::Cow;

use perennial_domain::clearent::{
    BatchId, BatchStatus, CustomerKey, CustomerStatus, Frequency, FrequencyDay, OneTimeToken, PlanKey,
    PlanStatus, PlanType, TokenId, TokenStatus, TransactionId, TransactionResult, TransactionType,
};
use perennial_domain::{Amount, CardBrand, Date, Expiry, Flag, Reported, Timestamp, Total};

use crate::failure::Failure;
use crate::fields::{
    amount, count, date, expiry, flag, given, key, last_four, own_key, owned, padded, reported,
    reported_count, reported_flag, result_code, shown, some_text, text, total, truth,
};
use crate::text::{Bare, Text};

/// Conversion between a member of a message and a value of the domain.
pub(crate) trait Rule<'a, Member, Value> {
    /// Reads the member of this name.
    fn read(name: &'static str, member: Member) -> Result<Value, Failure>;

    /// Writes the value.
    fn show(value: &'a Value) -> Member;
}

/// The rule of a type.
pub(crate) struct Plain;

/// Declares the rule of a type: its reading and its writing.
macro_rules! rules {
    ($($Member:ident to $Value:ty: $read:expr, $show:expr;)*) => {$(
        impl<'a> $crate::rule::Rule<'a, Option<$Member<'a>>, $Value> for $crate::rule::Plain {
            fn read(name: &'static str, member: Option<$Member<'a>>) -> Result<$Value, $crate::failure::Failure> {
                let read: fn(&'static str, Option<$Member<'a>>) -> Result<$Value, $crate::failure::Failure> = $read;
                read(name, member)
            }

            fn show(value: &'a $Value) -> Option<$Member<'a>> {
                let show: fn(&'a $Value) -> Option<$Member<'a>> = $show;
                show(value)
            }
        }
    )*};
}

/// Declares the rules of keys, one of which may identify the record itself, and of words.
macro_rules! names {
    (keys $($Key:ty),*; words $($Word:ty),*) => {
        rules! {
            $(
                Text to Option<$Key>: key, |key| some_text(key.as_ref());
                Text to $Key: own_key, |key| Some(text(key.as_str()));
            )*
            $(
                Text to Option<$Word>:
                    |_, word| Ok(given(word).map(|word| <$Word>::reported(&word))),
                    |word| word.as_ref().map(|word| text(word.as_str()));
            )*
        }
    };
}

names! {
    keys BatchId, CustomerKey, PlanKey, TokenId, TransactionId;
    words BatchStatus, CardBrand, CustomerStatus, Frequency, PlanStatus, TokenStatus, Timestamp, TransactionResult, TransactionType
}

rules! {
    Text to Option<String>: |_, text| Ok(owned(text)), |text| some_text(text.as_ref());
    Text to Option<Amount>: amount, |amount| shown(*amount);
    Text to Option<Total>: total, |total| shown(*total);
    Text to Option<Date>: date, |date| shown(*date);
    Text to Date: |name, day| date(name, day)?.ok_or_else(|| Failure::missing(name)), |date| shown(Some(date));
    Text to Option<bool>: flag, |flag| flag.map(truth);
    Text to Option<u64>: count, |count| shown(*count);
    Text to Option<Reported<bool>>: |_, flag| Ok(reported_flag(flag)), |flag| shown(flag.as_ref());
    Text to Option<Reported<u64>>: |_, count| Ok(reported_count(count)), |count| shown(count.as_ref());
    Text to Option<Reported<Expiry>>: |_, date| Ok(expiry(date)), |date| shown(date.as_ref());
    Text to Option<Reported<FrequencyDay>>:
        |_, day| Ok(reported(day, |day| FrequencyDay::try_from(day).ok())), |day| shown(day.as_ref());
    Text to OneTimeToken: own_key, |token| Some(text(token.expose()));
    Bare to Option<bool>: flag, |flag| flag.map(Bare::from);
    Bare to Option<u64>: count, |count| count.map(Bare::from);
    Bare to Option<Reported<bool>>: |_, flag| Ok(reported_flag(flag)), |flag| flag.as_ref().map(Bare::shown);
}

/// Declares a rule for single members that are read otherwise than their type.
macro_rules! special {
    ($($(#[$doc:meta])* $Rule:ident to $Value:ty: $read:expr, $show:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $Rule;

        impl<'a> Rule<'a, Option<Text<'a>>, $Value> for $Rule {
            fn read(name: &'static str, member: Option<Text<'a>>) -> Result<$Value, Failure> {
                let read: fn(&'static str, Option<Text<'a>>) -> Result<$Value, Failure> = $read;
                read(name, member)
            }

            fn show(value: &'a $Value) -> Option<Text<'a>> {
                let show: fn(&'a $Value) -> Option<Text<'a>> = $show;
                show(value)
            }
        }
    )*};
}

special! {
    /// The last four digits of a card; a JSON number lacks leading zeros.
    LastFour to Option<String>: last_four, |digits| some_text(digits.as_ref());
    /// A result code of three digits; a JSON number lacks leading zeros.
    ResultCode to Option<String>: |_, code| Ok(result_code(code)), |code| some_text(code.as_ref());
    /// A card number. A gateway that echoes a whole one must not bring it into a record.
    CardNumber to Option<String>:
        |_, card| Ok(owned(given(card).map(|card| padded(4, card))).map(masked)),
        |card| some_text(card.as_ref());
    /// A word that responses write as `Active`, although requests write `ACTIVE`.
    Capitalized to Option<TokenStatus>:
        |_, status| Ok(given(status).map(|status| TokenStatus::reported(&status))),
        |status| status.as_ref().map(|status| capitalized(status.as_str()));
}

fn masked(card: String) -> String {
    let digits = card.bytes().filter(u8::is_ascii_digit).count();
    match card.get(card.len().saturating_sub(4)..) {
        Some(last_four) if digits > 6 => format!("{}{last_four}", "X".repeat(digits - 4)),
        _ => card,
    }
}

fn capitalized(word: &str) -> Text<'static> {
    let mut word = word.to_ascii_lowercase();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Cow::Owned(word)
}

/// Makes a message the wire's form of a domain record: each member has the name of a field, and is read
/// and written by the rule of the field's type, or by the named one. Fields that the message has no member for are
/// `apart`: their default is read.
macro_rules! record {
    ($Name:ident is $Record:ty { $($field:ident $(by $Rule:ident)?),* $(; apart $($apart:ident),+)? }) => {
        const _: () = {
            use $crate::rule::Rule;

            #[allow(clippy::needless_update, reason = "some records have every member")]
            impl<'a> From<&'a $Record> for $Name<'a> {
                fn from(record: &'a $Record) -> Self {
                    Self {
                        $($field: <$crate::rule::of!($($Rule)?) as Rule<'a, _, _>>::show(&record.$field),)*
                        ..Self::default()
                    }
                }
            }

            impl<'a> $Name<'a> {
                pub(crate) fn record(self) -> Result<$Record, $crate::failure::Failure> {
                    type Record = $Record;
                    Ok(Record {
                        $($field: <$crate::rule::of!($($Rule)?) as Rule<'a, _, _>>::read(Self::$field, self.$field)?,)*
                        $($($apart: Default::default(),)+)?
                    })
                }
            }
        };
    };
}

/// The named rule, or the rule of the type.
macro_rules! of {
    () => {
        $crate::rule::Plain
    };
    ($Rule:ident) => {
        $crate::rule::$Rule
    };
}

pub(crate) use {of, record, rules};

/// Conversion of a request's value to its member, by its type.
pub(crate) trait Spelled<'a, Member> {
    fn spelled(&'a self) -> Member;
}

/// Conversion of a request's optional field to its member.
pub(crate) trait Given<'a, Member> {
    fn member(self) -> Option<Member>;
}

impl<'a, Member, T: Spelled<'a, Member>> Given<'a, Member> for &'a T {
    fn member(self) -> Option<Member> {
        Some(self.spelled())
    }
}

impl<'a, Member, T: Spelled<'a, Member>> Given<'a, Member> for Option<&'a T> {
    fn member(self) -> Option<Member> {
        self.map(T::spelled)
    }
}

/// Declares how types are written in requests: words as they are, secrets exposed, others by their `Display`.
macro_rules! spelled {
    (words $($Word:ty),*; $(secrets $($Secret:ty),*;)? shown $($Shown:ty),* $(,)?) => {
        $(
            impl<'a> $crate::rule::Spelled<'a, $crate::text::Text<'a>> for $Word {
                fn spelled(&'a self) -> $crate::text::Text<'a> {
                    $crate::fields::text(self.as_str())
                }
            }
        )*
        $($(
            impl<'a> $crate::rule::Spelled<'a, $crate::text::Text<'a>> for $Secret {
                fn spelled(&'a self) -> $crate::text::Text<'a> {
                    $crate::fields::text(self.expose())
                }
            }
        )*)?
        $(
            impl<'a> $crate::rule::Spelled<'a, $crate::text::Text<'a>> for $Shown {
                fn spelled(&'a self) -> $crate::text::Text<'a> {
                    self.to_string().into()
                }
            }
        )*
    };
}

spelled! {
    words perennial_domain::Text, CardBrand, CustomerKey, CustomerStatus, Frequency, PlanStatus, PlanType, TokenId,
        TokenStatus, perennial_domain::clearent::LastFour;
    shown Amount, Date, Expiry, FrequencyDay
}

impl<'a> Spelled<'a, Text<'a>> for Flag {
    fn spelled(&'a self) -> Text<'a> {
        truth(self.0)
    }
}

impl<'a> Spelled<'a, Bare<'a>> for Flag {
    fn spelled(&'a self) -> Bare<'a> {
        self.0.into()
    }
}

/// Makes a message the wire's form of a request, for writing and reading. Each member has the name of a field, and is
/// in the message itself or `in` one of its objects.
///
/// `gateway` members are read in the gateway's own way, `words` are kept unchanged, and `lists` are texts in an object.
/// `nested` members are requests, and absent if they are empty; `objects` are requests even then. Fields that are
/// `apart` are neither written nor read here.
macro_rules! request {
    (
        $Name:ident asks $Request:ty, by $Fields:ident, $Builder:ident {
            $($field:ident $(in $object:ident)?),*
            $(; gateway $($gateway:ident),+)?
            $(; words $($word:ident: $Word:ty),+)?
            $(; lists $($list:ident in $list_object:ident),+)?
            $(; nested $($nested:ident $(in $nested_object:ident)?),+)?
            $(; objects $($whole:ident),+)?
            $(; apart $($apart:ident),+)?
        }
    ) => {
        impl<'a> From<&'a $Request> for $Name<'a> {
            fn from(request: &'a $Request) -> Self {
                use $crate::rule::Given as _;

                let $Fields {
                    $($field,)*
                    $($($gateway,)+)?
                    $($($word,)+)?
                    $($($list,)+)?
                    $($($nested,)+)?
                    $($($whole,)+)?
                    $($($apart: _,)+)?
                } = request.fields();
                let mut message = Self::default();
                $($crate::rule::put!(message, $field $(in $object)?, $field.member());)*
                $($(message.$gateway = $gateway.member();)+)?
                $($(message.$word = $word.member();)+)?
                $($(
                    if let Some(list) = $list.member() {
                        message.$list_object.get_or_insert_default().$list = list;
                    }
                )+)?
                $($($crate::rule::put!(message, $nested $(in $nested_object)?, $nested.map(Into::into));)+)?
                $($(message.$whole = $whole.map(Into::into);)+)?
                message
            }
        }

        impl $crate::rule::Asks<$Builder> for $Name<'_> {
            fn onto(self, builder: $Builder) -> $Builder {
                let mut message = self;
                $(
                    let member = $crate::rule::take!(message, $field $(in $object)?);
                    let builder = match $crate::fields::given(member.map($crate::text::Text::from)) {
                        Some(text) => builder.$field(&*text),
                        None => builder,
                    };
                )*
                $($(
                    let builder = match $crate::fields::given(message.$gateway.map($crate::text::Text::from)) {
                        Some(text) => builder.$gateway(perennial_domain::AsGateway(&text)),
                        None => builder,
                    };
                )+)?
                $($(
                    let builder = match $crate::fields::given(message.$word) {
                        Some(word) => builder.$word(<$Word>::reported(&word)),
                        None => builder,
                    };
                )+)?
                $($(
                    let list = message.$list_object.as_mut().map(|object| std::mem::take(&mut object.$list));
                    let list = list.unwrap_or_default().into_iter().map($crate::text::Text::into_owned);
                    let list: Vec<String> = list.collect();
                    let builder = if list.is_empty() { builder } else { builder.$list(&*list) };
                )+)?
                $($(
                    let member = $crate::rule::take!(message, $nested $(in $nested_object)?);
                    let builder = match member.and_then(|nested| nested.request()) {
                        Some(nested) => builder.$nested(nested),
                        None => builder,
                    };
                )+)?
                $($(
                    let builder = match message.$whole {
                        Some(object) => builder.$whole(object.builder()),
                        None => builder,
                    };
                )+)?
                builder
            }
        }
    };
}

/// Writes a member of a message, or of an object in it, which is created with the first.
macro_rules! put {
    ($message:ident, $member:ident, $value:expr) => {
        $message.$member = $value
    };
    ($message:ident, $member:ident in $object:ident, $value:expr) => {
        if let Some(value) = $value {
            $message.$object.get_or_insert_default().$member = Some(value);
        }
    };
}

/// Takes a member out of a message, or out of an object in it.
macro_rules! take {
    ($message:ident, $member:ident) => {
        $message.$member.take()
    };
    ($message:ident, $member:ident in $object:ident) => {
        $message.$object.as_mut().and_then(|object| object.$member.take())
    };
}

/// A message that is a request: its readable content, and its violations.
pub(crate) trait Asks<Builder: Default>: Sized {
    /// Sets the fields of a builder from the members that are present.
    fn onto(self, builder: Builder) -> Builder;

    fn builder(self) -> Builder {
        self.onto(Builder::default())
    }
}

pub(crate) use {put, request, spelled, take};
