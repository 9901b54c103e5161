//! The payload of a response: one table of all variants.

use perennial_domain::Date;
use perennial_domain::clearent::{
    Batch, CheckSettings, Customer, CustomerToken, DuplicateSettings, ExpectedRun, MobileJwt, Payment, Plan,
    Token, Transaction,
};

use super::batch::{Batch as BatchMessage, Batches};
use super::customer::{Customer as CustomerMessage, Customers};
use super::customer_token::{CustomerToken as CustomerTokenMessage, CustomerTokens};
use super::one_time_token::MobileJwt as MobileJwtMessage;
use super::payment::{Payment as PaymentMessage, Payments};
use super::plan::{Forecast, Plan as PlanMessage, Plans, Run, Runs, forecast_day};
use super::settings::{CheckSettings as CheckSettingsMessage, DuplicateSettings as DuplicateSettingsMessage};
use super::token::{Token as TokenMessage, Tokens};
use super::transaction::{Transaction as TransactionMessage, Transactions};
use crate::failure::Failure;
use crate::fields::Unreadable;
use crate::member::{Else, Listed};
use crate::message::Message;
use crate::text::Text;

/// The gateway's error for a refused request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatewayError {
    /// The message for people.
    pub message: Option<String>,
    /// The three-digit code; one number can mean different things on different endpoints.
    pub result_code: Option<String>,
    /// The time, in a format that the vendor does not document.
    pub time_stamp: Option<String>,
}

message! {
    pub(super) struct ErrorMessage<'a> as "error" of GatewayError; {
        message: Option<Text<'a>> = "error-message",
        result_code: Option<Text<'a>> = "result-code" by ResultCode,
        time_stamp: Option<Text<'a>> = "time-stamp",
    }
}

/// Declares the payloads. `objects` are single objects and `lists` are lists of records: each row has the variant, its
/// content, the member of the message and its type, and the name on the wire. A transaction, a token and an error are
/// not rows, because a response can combine them.
macro_rules! payloads {
    (
        objects { $(
            $(#[$object_doc:meta])*
            $Object:ident($Value:ty) = $object:ident: $Message:ty as $ObjectMessage:ident, $object_name:literal;
        )* }
        lists { $(
            $(#[$list_doc:meta])*
            $List:ident($Record:ty) = $list:ident: $Records:ident { $records:ident $(, $other:ident)? },
                $list_name:literal, $record_name:literal, $key:expr, $read:expr, $write:expr;
        )* }
    ) => {
        /// The content of a response.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is what its type is")]
        pub enum Payload {
            /// An empty body, or a payload that this crate does not know.
            #[default]
            Empty,
            /// An approved or a declined transaction; the latter has the payload type `errorTransaction`.
            Transaction(Box<Transaction>),
            Token(Box<Token>),
            /// A transaction and the token that it created.
            TransactionToken(Box<Transaction>, Box<Token>),
            $( $(#[$object_doc])* $Object(Box<$Value>), )*
            $( $(#[$list_doc])* $List(Vec<$Record>), )*
            Error(GatewayError),
            /// More than one of the above, in this order: objects that no documented response combines, or an error
            /// beside an object. They contradict each other, so no conclusion follows from one of them alone.
            Several(Vec<Payload>),
        }

        message! {
            /// The payload of a response. Shapes seen in JSON are **inferred** for XML where no sample shows them: lists
            /// and errors. A token is written as `tokenResponse` in JSON and as `token` in XML, as in the vendor's
            /// samples, and read by either name in both.
            pub(super) struct PayloadMessage<'a> as "payload" {
                transaction: Option<Box<TransactionMessage<'a>>> = "transaction",
                token_response: Option<Box<TokenMessage<'a>>> = "tokenResponse",
                token: Option<Box<TokenMessage<'a>>> = "token",
                $( $object: Option<$Message> = $object_name, )*
                $( $list: Option<$Records<'a>> = $list_name, )*
                error: Option<ErrorMessage<'a>> = "error",
                payload_type: Option<Text<'a>> = "payloadType",
            }
        }

        impl Payload {
            /// The usual name of the payload's kind.
            pub fn type_name(&self) -> Option<&'static str> {
                Some(match self {
                    Self::Empty => return None,
                    Self::Transaction(_) => "transaction",
                    Self::Token(_) => "token",
                    Self::TransactionToken(..) => "transactionToken",
                    $( Self::$Object(_) => $object_name, )*
                    $( Self::$List(_) => $list_name, )*
                    Self::Error(_) => "error",
                    Self::Several(payloads) => return payloads.first()?.type_name(),
                })
            }

            /// Whether the payload is an object without members or a list without items, which names no object.
            pub(super) fn is_blank(&self) -> bool {
                match self {
                    Self::Empty => true,
                    Self::Transaction(transaction) => **transaction == Transaction::default(),
                    Self::Token(token) => **token == Token::default(),
                    Self::TransactionToken(transaction, token) => {
                        **transaction == Transaction::default() && **token == Token::default()
                    }
                    Self::Batch(batch) => **batch == Batch::default(),
                    $( Self::$List(records) => records.is_empty(), )*
                    Self::Several(payloads) => payloads.iter().all(Self::is_blank),
                    // All others have a key or a flag.
                    _ => false,
                }
            }

            /// A list without items, or a refusal without details, of which only the payload type is present.
            pub(super) fn nothing_of(payload_type: &str) -> Option<Self> {
                match payload_type {
                    $( $list_name => Some(Self::$List(Vec::new())), )*
                    "error" => Some(Self::Error(GatewayError::default())),
                    _ => None,
                }
            }
        }

        impl<'a> PayloadMessage<'a> {
            pub(super) fn put(&mut self, payload: &'a Payload) {
                match payload {
                    Payload::Empty => {}
                    Payload::Transaction(transaction) => {
                        self.transaction = Some(Box::new((&**transaction).into()));
                    }
                    Payload::Token(token) if self.token_response.is_some() => {
                        self.token = Some(Box::new((&**token).into()));
                    }
                    Payload::Token(token) => self.token_response = Some(Box::new((&**token).into())),
                    Payload::TransactionToken(transaction, token) => {
                        self.transaction = Some(Box::new((&**transaction).into()));
                        self.token_response = Some(Box::new((&**token).into()));
                    }
                    $( Payload::$Object(object) => self.$object = Some($ObjectMessage::from(&**object).into()), )*
                    $(
                        Payload::$List(list) => {
                            self.$list = Some($Records {
                                $records: list.iter().map($write).collect::<Listed<_>>(),
                                $( $other: Else::default(), )?
                            });
                        }
                    )*
                    Payload::Error(error) => self.error = Some(error.into()),
                    Payload::Several(payloads) => payloads.iter().for_each(|payload| self.put(payload)),
                }
            }

            /// Converts the members that are present, in the order of the table, an error last.
            pub(super) fn record(self, unreadable: &mut Unreadable) -> Result<Option<Payload>, Failure> {
                let at = |path: &'static str| move |failure: Failure| failure.within(path);
                let token_of = |token: Option<Box<TokenMessage<'a>>>, name| {
                    token.map(|token| token.record().map(Box::new).map_err(at(name))).transpose()
                };
                let response = token_of(self.token_response, "tokenResponse")?;
                let token = token_of(self.token, "token")?;
                // One token under both of its names is one.
                let (token, another) =
                    if response.is_none() || response == token { (token, None) } else { (response, token) };
                let mut found = Vec::new();
                match (self.transaction, token) {
                    (Some(transaction), token) => {
                        let transaction = Box::new(transaction.record().map_err(at("transaction"))?);
                        found.push(match token {
                            Some(token) => Payload::TransactionToken(transaction, token),
                            None => Payload::Transaction(transaction),
                        });
                    }
                    (None, token) => found.extend(token.map(Payload::Token)),
                }
                found.extend(another.map(Payload::Token));
                $(
                    if let Some(object) = self.$object {
                        found.push(Payload::$Object(Box::new(object.record().map_err(at($object_name))?)));
                    }
                )*
                $(
                    if let Some($Records { $records, $( $other, )? }) = self.$list {
                        #[allow(unused_mut, reason = "only some lists have another name for their records")]
                        let mut records = $records;
                        $( records.0.extend($other.0.0); )?
                        let path = concat!($list_name, ".", $record_name);
                        found.push(Payload::$List(unreadable.sort(records, $key, $read, path)));
                    }
                )*
                let error = self.error.map(ErrorMessage::record).transpose()?;
                found.extend(error.filter(|error| *error != GatewayError::default()).map(Payload::Error));
                Ok(Payload::of(found, unreadable.is_empty()))
            }
        }
    };
}

payloads! {
    objects {
        Customer(Customer) = customer: Box<CustomerMessage<'a>> as CustomerMessage, "customer";
        Plan(Plan) = plan: Box<PlanMessage<'a>> as PlanMessage, "payment-plan";
        CustomerToken(CustomerToken) = customer_token: Box<CustomerTokenMessage<'a>> as CustomerTokenMessage,
            "customer-token";
        Batch(Batch) = batch: Box<BatchMessage<'a>> as BatchMessage, "batch";
        AvsSettings(CheckSettings) = avs_settings: CheckSettingsMessage<'a> as CheckSettingsMessage, "avs-settings";
        CscSettings(CheckSettings) = csc_settings: CheckSettingsMessage<'a> as CheckSettingsMessage, "csc-settings";
        DuplicateSettings(DuplicateSettings) =
            duplicate_settings: DuplicateSettingsMessage<'a> as DuplicateSettingsMessage,
            "check-duplicate-transaction-settings";
        /// A card's one-time token, for the payer's browser or phone.
        MobileJwt(MobileJwt) = mobile_jwt: MobileJwtMessage<'a> as MobileJwtMessage, "mobile-jwt";
    }
    lists {
        Customers(Customer) = customers: Customers { customer },
            "customers", "customer", CustomerMessage::key, CustomerMessage::record, CustomerMessage::from;
        Transactions(Transaction) = transactions: Transactions { transaction },
            "transactions", "transaction", TransactionMessage::key, TransactionMessage::record, TransactionMessage::from;
        Tokens(Token) = tokens: Tokens { token, token_response },
            "tokens", "token", TokenMessage::key, TokenMessage::record, TokenMessage::from;
        CustomerTokens(CustomerToken) = customer_tokens: CustomerTokens { customer_token, token },
            "customer-tokens", "customer-token", CustomerTokenMessage::key, CustomerTokenMessage::record,
            CustomerTokenMessage::from;
        Plans(Plan) = plans: Plans { payment_plan },
            "payment-plans", "payment-plan", PlanMessage::key, PlanMessage::record, PlanMessage::from;
        ExpectedRuns(ExpectedRun) = runs: Runs { expected_run },
            "expected-runs", "expected-run", Run::key, Run::record, Run::from;
        Forecast(Date) = forecast: Forecast { date },
            "plan-forecast", "date", |_| None, forecast_day, |date: &Date| Text::from(date.to_string());
        Payments(Payment) = payments: Payments { payment },
            "payments", "payment", PaymentMessage::key, PaymentMessage::record, PaymentMessage::from;
        Batches(Batch) = batches: Batches { batch },
            "batches", "batch", BatchMessage::key, BatchMessage::record, BatchMessage::from;
    }
}

impl Payload {
    /// The one payload, or all of them. A blank payload does not count beside others, unless it is a list with unreadable
    /// records.
    fn of(mut found: Vec<Self>, is_read_whole: bool) -> Option<Self> {
        if is_read_whole {
            let something = found.iter().any(|payload| !payload.is_blank());
            if something { found.retain(|payload| !payload.is_blank()) } else { found.truncate(1) }
        }
        if found.len() > 1 { Some(Self::Several(found)) } else { found.pop() }
    }
}
