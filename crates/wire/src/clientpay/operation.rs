//! The operations of the gateway: names, classes, and paths in both versions.

use super::Version;
use crate::call::{Call, Method};
use crate::class::{Class, OperationInfo};
use crate::error::EncodeError;

/// Declares the operations: a name, the class, the word `charges` if the operation charges a card or an account, or the
/// word `open` if it needs no access id, the paths of versions 2 and 1.0, and further paths that a gateway accepts.
macro_rules! operations {
    (@charges charges) => { true };
    (@charges $(open)?) => { false };
    (@open open) => { true };
    (@open $(charges)?) => { false };
    ($( $(#[$doc:meta])* $Operation:ident $name:literal: $class:ident $($flag:ident)?, $v2:expr, $v1:expr $(, or $other:literal)*; )*) => {
        /// An operation of the API.
        ///
        /// ```
        /// use perennial_wire::clientpay::{Operation, Version};
        ///
        /// assert_eq!(Operation::at("/V2/Payment"), Some((Operation::Pay, Version::V2)));
        /// assert_eq!(Operation::Pay.path(Version::V1), Some("/Payment/Add"));
        /// assert_eq!(Operation::Refund.path(Version::V1), None);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $( $(#[$doc])* $Operation, )*
        }

        impl Operation {
            /// All operations.
            pub const ALL: &[Self] = &[$( Self::$Operation, )*];

            /// The operation's name, for logs and faults. Pages of all kinds have one.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Operation => $name, )*
                }
            }

            /// The effect of the operation.
            pub const fn class(self) -> Class {
                match self {
                    $( Self::$Operation => Class::$class, )*
                }
            }

            /// The row of the table without the path.
            pub const fn info(self) -> OperationInfo {
                let (name, class) = (self.name(), self.class());
                let (charges, is_open) = match self {
                    $( Self::$Operation => (operations!(@charges $($flag)?), operations!(@open $($flag)?)), )*
                };
                OperationInfo { name, class, charges, needs_access_id: !is_open }
            }

            /// The path, if the version has the operation.
            pub fn path(self, version: Version) -> Option<&'static str> {
                let (v2, v1): (Option<&str>, Option<&str>) = match self {
                    $( Self::$Operation => ($v2, $v1), )*
                };
                match version {
                    Version::V2 => v2,
                    Version::V1 => v1,
                }
            }

            /// Further paths that a gateway accepts.
            fn others(self) -> &'static [&'static str] {
                match self {
                    $( Self::$Operation => &[$( $other ),*], )*
                }
            }
        }
    };
}

operations! {
    /// New access id.
    NewAccessId "access.new": Write open, Some("/v2/token/accessid"), Some("/Token/Access/New");
    /// Current access id.
    CurrentAccessId "access.current": Read open, Some("/v2/token/accessid/current"), Some("/Token/Access/Current");
    /// Validate access id; its path is **inferred**.
    ValidateAccessId "access.validate": Read open, Some("/v2/token/accessid/validate"), Some("/Token/Access/Validate");
    /// Expire access id.
    ExpireAccessId "access.expire": Delete, Some("/v2/token/accessid/expire"), Some("/Token/Access/Expire");
    /// New customer access id.
    NewCustomerAccessId "access.new-customer": Write open, Some("/v2/token/customeraccessid"), None;
    /// Validate credentials, which version 2 lacks.
    ValidateCredentials "access.validate-credentials": Read open, None, Some("/Token/Credentials/Validate");
    /// Generate request id.
    NewRequestId "request-id.new": Issue, Some("/v2/token/requestid"), Some("/Token/Request/New");
    /// Invoice payment page.
    InvoicePage "pages.create": Idempotent, Some("/v2/paymentpage/invoice"), Some("/Invoice/Forms/Add");
    /// Line item payment page.
    LineItemPage "pages.create": Idempotent, Some("/v2/paymentpage/lineitem"), Some("/PaymentPage/Forms/Add");
    /// Connect payment page.
    ConnectPage "pages.create": Idempotent, Some("/v2/connect/paymentpage"), Some("/Invoice/Connect/Add");
    /// Payer page.
    PayerPage "pages.create": Idempotent, Some("/v2/payer/payerpage"), None;
    /// Expire payment page; version 1.0 has one for invoices and one for line items.
    ExpirePage "pages.expire": Delete, Some("/v2/expirepage"), Some("/Invoice/Forms/Expire"), or "/PaymentPage/Forms/Expire";
    /// Connect search.
    ConnectSearch "connect.search": Read, Some("/v2/connect/search"), Some("/Invoice/Connect/Search");
    /// Payment.
    Pay "clientpay-payments.create": Idempotent charges, Some("/v2/payment"), Some("/Payment/Add");
    /// Full refund or void; its path is **inferred**.
    Refund "clientpay-payments.refund": Idempotent, Some("/v2/payment/refund"), None, or "/v2/payment/fullrefund", or "/v2/refund";
    /// Payment search: count.
    CountPayments "clientpay-payments.count": Read, Some("/v2/paymentsearch/count"), None;
    /// Payment search: results.
    SearchPayments "clientpay-payments.search": Read, Some("/v2/paymentsearch/results"), None;
    /// Status, a GET, which version 2 lacks.
    PaymentStatus "clientpay-payments.status": Read, None, Some("/Payment/Status");
    /// New payer.
    NewPayer "payers.create": Idempotent, Some("/v2/payer"), None;
    /// Update payer.
    UpdatePayer "payers.update": Idempotent, Some("/v2/payer/update"), None;
    /// Delete payer.
    DeletePayer "payers.delete": Idempotent, Some("/v2/payer/delete"), None;
    /// New payment method.
    NewMethods "payers.add-methods": Idempotent, Some("/v2/payer/paymentmethods"), None;
    /// Update payment method.
    UpdateMethods "payers.update-methods": Idempotent, Some("/v2/payer/paymentmethods/update"), None;
}

impl Operation {
    /// The operation at a path, and its version. Case-insensitive matching is **inferred** from the vendor's
    /// stack.
    pub fn at(path: &str) -> Option<(Self, Version)> {
        Self::ALL.iter().find_map(|operation| {
            let (_, version) = operation.paths().find(|(known, _)| known.eq_ignore_ascii_case(path))?;
            Some((*operation, version))
        })
    }

    /// Whether a path begins as the path of some operation does, in any letter case.
    ///
    /// ```
    /// use perennial_wire::clientpay::Operation;
    ///
    /// assert!(Operation::has_root("/V2/nothing") && Operation::has_root("//token"));
    /// assert!(!Operation::has_root("/rest/v2/payments") && !Operation::has_root("/"));
    /// ```
    pub fn has_root(path: &str) -> bool {
        let mut known = Self::ALL.iter().flat_map(|operation| operation.paths());
        known.any(|(known, _)| root(known).eq_ignore_ascii_case(root(path)))
    }

    /// The paths at which a gateway accepts the operation, each with its version.
    fn paths(self) -> impl Iterator<Item = (&'static str, Version)> {
        let named = [Version::V2, Version::V1].into_iter();
        let named = named.filter_map(move |version| Some((self.path(version)?, version)));
        named.chain(self.others().iter().map(|other| (*other, version_of(other))))
    }

    /// Earlier names: none has changed.
    pub const fn aliases(self) -> &'static [&'static str] {
        &[]
    }

    /// The method: POST, except for the status of version 1.0.
    pub fn method(self) -> Method {
        match self {
            Self::PaymentStatus => Method::Get,
            _ => Method::Post,
        }
    }

    /// The path, or an error if the version lacks the operation.
    pub fn path_in(self, version: Version) -> Result<&'static str, EncodeError> {
        self.path(version).ok_or(match version {
            Version::V2 => EncodeError::not_in_v2(self.name()),
            Version::V1 => EncodeError::not_in_v1(self.name()),
        })
    }

    /// A call of the operation without a body yet.
    pub(super) fn call(self, version: Version) -> Result<Call, EncodeError> {
        let path = self.path_in(version)?;
        Ok(Call::bare(self.name(), self.class(), self.method(), path, path.to_owned()))
    }
}

/// The first segment of a path.
fn root(path: &str) -> &str {
    path.split('/').find(|part| !part.is_empty()).unwrap_or_default()
}

fn version_of(path: &str) -> Version {
    if path.starts_with("/v2/") { Version::V2 } else { Version::V1 }
}
