use perennial_domain::clearent::{
    BatchSearch, CustomerKey, CustomerSearch, PlanKey, PlanSearch, Reference, TokenId, TokenSearch,
    TransactionId, TransactionSearch,
};

/// A query that finds out whether a write of unknown outcome was performed.
///
/// A search can find older objects that look the same, and an object that is not found may still be created: the
/// gateway may execute a request after the caller gave up. Wait, then compare the found objects with the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// Get this customer.
    Customer(CustomerKey),
    /// Search for the customer.
    Customers(CustomerSearch),
    /// Get this token.
    Token(TokenId),
    /// Search for the token.
    Tokens(TokenSearch),
    /// List the tokens of this customer.
    CustomerTokens(CustomerKey),
    /// Get this plan.
    Plan(PlanKey),
    /// Search for the plan.
    Plans(PlanSearch),
    /// Get this transaction, which shows whether it was voided.
    Transaction(TransactionId),
    /// Search for the transaction.
    Transactions(TransactionSearch),
    /// Search for a transaction that refers to another one: a capture of an authorization, a refund of a charge. The
    /// gateway cannot search by [`ref_id`](super::Transaction::ref_id), so the caller ignores transactions with a
    /// different `ref_id`. A transaction without a `ref_id` may be the right one.
    FollowUps {
        /// The transaction to which it refers.
        of: TransactionId,
        /// A search whose results include the transaction.
        search: TransactionSearch,
    },
    /// Get the [status](super::Invoices::status) of the invoice with this number.
    Invoice(Reference),
    /// List the batches, which shows whether one was settled.
    Batches(BatchSearch),
}
