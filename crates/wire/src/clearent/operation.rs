//! The operations of the gateway: names, methods and paths.

use crate::call::{Call, Method};
use crate::class::{Class, OperationInfo};
use crate::query::Target;

/// The text of [`ROOT`], from which paths are put together.
macro_rules! root {
    () => {
        "/rest/v2"
    };
}

/// The common prefix of all paths.
pub const ROOT: &str = root!();

/// Declares the operations: a name and its earlier names, the class, the word `charges` if the operation charges a card,
/// the method, and the path below the root.
macro_rules! operations {
    (@charges) => { false };
    (@charges charges) => { true };
    ($( $(#[$doc:meta])* $Operation:ident $name:literal $(, once $alias:literal)*: $class:ident $($charges:ident)?, $method:ident $path:literal; )*) => {
        /// An operation of the API: one method of one path. Paths with equal effects share a name.
        ///
        /// ```
        /// use perennial_wire::Class;
        /// use perennial_wire::clearent::{Method, Operation};
        ///
        /// let search = Operation::SearchPlans;
        /// assert_eq!((search.name(), search.class()), ("plans.search", Class::Read));
        /// assert_eq!((search.method(), search.path()), (Method::Get, "/rest/v2/payment-plans"));
        /// assert_eq!(Operation::ForcedSale.name(), Operation::Sale.name());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $( $(#[$doc])* $Operation, )*
        }

        impl Operation {
            /// All operations.
            pub const ALL: &[Self] = &[$( Self::$Operation, )*];

            /// The name, for logs, errors and faults: the resource, a dot, and the action.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Operation => $name, )*
                }
            }

            /// Earlier names, which faults accept too.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self {
                    $( Self::$Operation => &[$( $alias ),*], )*
                }
            }

            /// The effect of the operation.
            pub const fn class(self) -> Class {
                match self {
                    $( Self::$Operation => Class::$class, )*
                }
            }

            /// Whether the operation charges a card, so that the issuer can decline it.
            const fn charges(self) -> bool {
                match self {
                    $( Self::$Operation => operations!(@charges $($charges)?), )*
                }
            }

            /// The method.
            pub const fn method(self) -> Method {
                match self {
                    $( Self::$Operation => Method::$method, )*
                }
            }

            /// The path, with the name of a key in braces at the position of the key.
            pub const fn path(self) -> &'static str {
                match self {
                    $( Self::$Operation => concat!(root!(), '/', $path), )*
                }
            }
        }
    };
}

operations! {
    /// Creates a customer.
    CreateCustomer "customers.create": Write, Post "customers";
    /// Finds customers.
    SearchCustomers "customers.search", once "customers.list": Read, Get "customers";
    /// Reads a customer.
    GetCustomer "customers.get": Read, Get "customers/{customer-key}";
    /// Changes a customer.
    UpdateCustomer "customers.update": Write, Put "customers/{customer-key}";
    /// Deletes a customer.
    DeleteCustomer "customers.delete": Delete, Delete "customers/{customer-key}";
    /// Attaches a token to a customer.
    AttachToken "customer-tokens.attach", once "customer-tokens.create", once "customers.tokens.attach":
        Write, Post "customers/{customer-key}/tokens";
    /// Lists the tokens of a customer.
    ListCustomerTokens "customer-tokens.list", once "customers.tokens.list":
        Read, Get "customers/{customer-key}/tokens";
    /// Changes the attachment of a token.
    UpdateCustomerToken "customer-tokens.update", once "customers.tokens.update":
        Write, Put "customers/{customer-key}/tokens";
    /// Stores a card in the vault.
    CreateToken "tokens.create": Write, Post "tokens";
    /// Finds tokens.
    SearchTokens "tokens.search", once "tokens.list": Read, Get "tokens";
    /// Reads a token.
    GetToken "tokens.get": Read, Get "tokens/{token-id}";
    /// Changes a token.
    UpdateToken "tokens.update": Write, Put "tokens/{token-id}";
    /// Deletes a token.
    DeleteToken "tokens.delete": Delete, Delete "tokens/{token-id}";
    /// Creates a payment plan.
    CreatePlan "plans.create": Write, Post "payment-plans";
    /// Finds payment plans.
    SearchPlans "plans.search", once "plans.list": Read, Get "payment-plans";
    /// Reads a payment plan.
    GetPlan "plans.get": Read, Get "payment-plans/{plan-key}";
    /// Changes a payment plan.
    UpdatePlan "plans.update": Write, Put "payment-plans/{plan-key}";
    /// Deletes a payment plan.
    DeletePlan "plans.delete": Delete, Delete "payment-plans/{plan-key}";
    /// Lists the future charges of a plan.
    ExpectedRuns "plans.expected-runs", once "plans.expected_runs":
        Read, Get "payment-plans/{plan-key}/expected-runs";
    /// Lists the charges of plans.
    ListPayments "payments.list": Read, Get "payments";
    /// Lists the days on which a plan that does not exist yet would charge.
    Forecast "plans.forecast", once "forecast.get": Read, Get "plan-forecast";
    /// Charges a card, or performs another action, as the `type` of the body says.
    Transact "transactions.sale": Write charges, Post "transactions";
    /// Charges a card.
    Sale "transactions.sale": Write charges, Post "transactions/sale";
    /// Charges a card by an approval that was obtained elsewhere.
    ForcedSale "transactions.sale": Write charges, Post "transactions/forced-sale";
    /// Reserves an amount.
    Auth "transactions.auth": Write charges, Post "transactions/auth";
    /// Captures a reserved amount.
    Capture "transactions.capture": Write, Post "transactions/capture";
    /// Voids a transaction of an open batch.
    Void "transactions.void": Write, Post "transactions/void";
    /// Refunds a transaction or a card.
    Refund "transactions.refund": Write, Post "transactions/refund";
    /// Charges the card of a one-time token, or performs another action, as the `type` of the body says.
    MobileTransact "transactions.sale": Write charges, Post "mobile/transactions";
    /// Charges the card of a one-time token.
    MobileSale "transactions.sale": Write charges, Post "mobile/transactions/sale";
    /// Reserves an amount on the card of a one-time token.
    MobileAuth "transactions.auth": Write charges, Post "mobile/transactions/auth";
    /// Refunds the card of a one-time token.
    MobileRefund "transactions.refund": Write, Post "mobile/transactions/refund";
    /// Exchanges a card for a one-time token, with the public key.
    CreateOneTimeToken "one-time-tokens.create": Write, Post "mobilejwt/manual";
    /// Finds transactions.
    SearchTransactions "transactions.search", once "transactions.list": Read, Get "transactions";
    /// Reads a transaction.
    GetTransaction "transactions.get": Read, Get "transactions/{id}";
    /// Changes the tip of a transaction.
    UpdateTransaction "transactions.update": Write, Put "transactions/{id}";
    /// Lists the batches.
    ListBatches "batches.list": Read, Get "batches";
    /// Reads the open batch.
    OpenBatch "batches.open": Read, Get "batches/open";
    /// Settles the open batch.
    SettleBatch "batches.settle": Write, Put "batches/open";
    /// Reads the accepted results of the address check.
    GetAvsSettings "avs-settings.get": Read, Get "settings/terminal/avs";
    /// Changes the accepted results of the address check.
    UpdateAvsSettings "avs-settings.update": Write, Put "settings/terminal/avs";
    /// Reads the accepted results of the security code check.
    GetCscSettings "csc-settings.get": Read, Get "settings/terminal/csc";
    /// Changes the accepted results of the security code check.
    UpdateCscSettings "csc-settings.update": Write, Put "settings/terminal/csc";
    /// Reads the settings that find duplicate charges.
    GetDuplicateSettings "duplicate-settings.get": Read, Get "settings/transaction/duplicates";
    /// Changes the settings that find duplicate charges.
    UpdateDuplicateSettings "duplicate-settings.update": Write, Post "settings/transaction/duplicates";
}

/// Declares the resources: each with the part of the names of its operations before the dot.
macro_rules! resources {
    ($( $(#[$doc:meta])* $Resource:ident $name:literal; )*) => {
        /// A resource of the API.
        ///
        /// ```
        /// use perennial_wire::clearent::{Operation, Resource};
        ///
        /// assert_eq!(Resource::of(Operation::ForcedSale.name()), Some(Resource::Transactions));
        /// assert_eq!(Resource::of("payers.create"), None);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Resource {
            $( $(#[$doc])* $Resource, )*
        }

        impl Resource {
            /// The resource of the operation of this name.
            pub fn of(operation: &str) -> Option<Self> {
                match operation.split_once('.')?.0 {
                    $( $name => Some(Self::$Resource), )*
                    _ => None,
                }
            }

            /// The name, in the plural.
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Resource => $name, )*
                }
            }
        }
    };
}

resources! {
    /// Customers.
    Customers "customers";
    /// Tokens that are attached to customers.
    CustomerTokens "customer-tokens";
    /// Cards in the vault.
    Tokens "tokens";
    /// Payment plans.
    Plans "plans";
    /// Charges of plans.
    Payments "payments";
    /// Card transactions.
    Transactions "transactions";
    /// One-time tokens.
    OneTimeTokens "one-time-tokens";
    /// Batches, in which transactions are settled.
    Batches "batches";
    /// Settings of the address check.
    AvsSettings "avs-settings";
    /// Settings of the security code check.
    CscSettings "csc-settings";
    /// Settings that find duplicate charges.
    DuplicateSettings "duplicate-settings";
}

impl Operation {
    /// The operation of a method at a path, and the key in the path.
    ///
    /// ```
    /// use perennial_wire::clearent::Operation;
    ///
    /// let found = Operation::at("GET", "/rest/v2/payment-plans/plan_1/expected-runs");
    /// assert_eq!(found, Some((Operation::ExpectedRuns, Some("plan_1"))));
    /// assert_eq!(Operation::at("POST", "/rest/v2/payment-plans"), Some((Operation::CreatePlan, None)));
    /// assert_eq!(Operation::at("GET", "/rest/v2/transactions/sale"), None);
    /// ```
    pub fn at<'p>(method: &str, path: &'p str) -> Option<(Self, Option<&'p str>)> {
        Self::all_at(path).find(|(operation, _)| operation.method().as_str() == method)
    }

    /// The operations at a path, one for each of its methods, each with the key in the path. A path that the table has
    /// without a key, such as `transactions/sale`, has no key.
    pub fn all_at(path: &str) -> impl Iterator<Item = (Self, Option<&str>)> {
        let found = || Self::ALL.iter().filter_map(|operation| operation.found_at(path));
        let has_key = found().all(|(_, key)| key.is_some());
        found().filter(move |(_, key)| key.is_some() == has_key)
    }

    /// The operation and the key in this path, if the path is one of the operation.
    fn found_at(self, path: &str) -> Option<(Self, Option<&str>)> {
        let Some((before, rest)) = self.path().split_once('{') else {
            return (self.path() == path).then_some((self, None));
        };
        let (_, after) = rest.split_once('}')?;
        let key = path.strip_prefix(before)?.strip_suffix(after)?;
        (!key.is_empty() && !key.contains('/')).then_some((self, Some(key)))
    }

    /// The row of the table without the path.
    pub const fn info(self) -> OperationInfo {
        OperationInfo {
            name: self.name(),
            class: self.class(),
            charges: self.charges(),
            needs_access_id: false,
        }
    }

    /// The path, to which a query can be added.
    pub(super) fn query(self) -> Target {
        Target::new(self.path())
    }

    /// A call of the operation without a body yet, to its path in the table.
    pub(super) fn call(self) -> Call {
        self.call_to(self.path().to_owned())
    }

    /// A call of the operation without a body yet, to this path and query.
    pub(super) fn call_to(self, target: String) -> Call {
        Call::bare(self.name(), self.class(), self.method(), self.path(), target)
    }

    /// A call of the operation for one object, without a body yet.
    pub(super) fn call_of(self, key: &str) -> Call {
        self.call_to(self.path_of(key))
    }

    /// The path of the object of this key.
    ///
    /// ```
    /// use perennial_wire::clearent::Operation;
    ///
    /// assert_eq!(Operation::ExpectedRuns.path_of("plan_1"), "/rest/v2/payment-plans/plan_1/expected-runs");
    /// ```
    pub fn path_of(self, key: &str) -> String {
        let path = self.path();
        match (path.find('{'), path.find('}')) {
            (Some(from), Some(to)) => [&path[..from], key, &path[to + 1..]].concat(),
            _ => path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_consistent() {
        for (at, operation) in Operation::ALL.iter().enumerate() {
            let what = operation.name();
            assert!(
                !Operation::ALL[..at]
                    .iter()
                    .any(|other| other.path() == operation.path() && other.method() == operation.method()),
                "{what}"
            );
            assert_eq!(operation.method() == Method::Get, operation.class() == Class::Read, "{what}");
            assert_eq!(operation.method() == Method::Delete, operation.class() == Class::Delete, "{what}");
            let same = Operation::ALL.iter().filter(|other| other.name() == what);
            assert!(same.clone().all(|other| other.class() == operation.class()), "{what}");
            assert!(Resource::of(what).is_some(), "{what}");
            for alias in operation.aliases() {
                assert!(!Operation::ALL.iter().any(|other| other.name() == *alias), "{alias}");
            }
        }
    }

    #[test]
    fn the_path_of_every_operation_is_found() {
        for &operation in Operation::ALL {
            let key = operation.path().contains('{').then_some("700001");
            let path = operation.path_of("700001");
            assert_eq!(Operation::at(operation.method().as_str(), &path), Some((operation, key)), "{path}");
        }
        for path in
            ["/rest/v2/customers/", "/rest/v2/customers/m-7/", "/rest/v2/tokens/1/2", "/v2/customers", ""]
        {
            assert_eq!(Operation::all_at(path).count(), 0, "{path}");
        }
    }

    #[test]
    fn a_key_stands_in_the_path() {
        let target = |operation: Operation| operation.call_of("plan_1").target;
        assert_eq!(target(Operation::GetPlan), "/rest/v2/payment-plans/plan_1");
        assert_eq!(target(Operation::ExpectedRuns), "/rest/v2/payment-plans/plan_1/expected-runs");
        assert_eq!(Operation::SearchPlans.call().target, "/rest/v2/payment-plans");
    }
}
