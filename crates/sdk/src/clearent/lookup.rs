use perennial_domain::clearent::{
    BatchSearch, CustomerKey, CustomerSearch, PlanKey, PlanSearch, Reference, TokenId, TokenSearch,
    TransactionId, TransactionSearch,
};

/// What finds out whether a write of unknown outcome was performed.
///
/// A search can find older objects that look the same, and an object that is not there yet may still come: the
/// gateway may perform what it was sent after the caller gave up. Wait a while, then compare what is found.
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
    /// Get this transaction: whether it was voided shows there.
    Transaction(TransactionId),
    /// Search for the transaction.
    Transactions(TransactionSearch),
    /// Search for the transaction that follows another one up: a capture of an authorization, a refund of a charge.
    /// The gateway cannot search by the [`ref_id`](super::Transaction::ref_id), so that the caller leaves out the
    /// transactions whose `ref_id` is another one. A transaction without a `ref_id` may be it.
    FollowUps {
        /// The transaction that is followed up.
        of: TransactionId,
        /// Finds the follow-up, among others.
        search: TransactionSearch,
    },
    /// Ask for the [status](super::Invoices::status) of the invoice of this number.
    Invoice(Reference),
    /// List the batches: whether one was settled shows there.
    Batches(BatchSearch),
}
