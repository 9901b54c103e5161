//! Card transactions in the database.

use perennial_domain::clearent::{
    CheckAnswer, Transaction, TransactionId, TransactionResult, TransactionSearch, TransactionType,
};
use perennial_domain::{Amount, CardBrand, Reported, Timestamp, Total};
use perennial_wire::clearent::Page;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Result, Row, params};

use super::list::List;
use super::row::{
    Columns, NamedRow, address, cents, insert, prose, read, read_address, read_amount, read_brand,
    read_expiry, read_some, text, to_text,
};
use crate::clock::Moment;
use crate::store::session::Session;
use crate::store::world::Kind;

/// The key by which charges count as duplicates: absent fields are ignored.
#[derive(Default)]
pub(crate) struct DuplicateKey<'a> {
    pub(crate) last_four: Option<&'a str>,
    pub(crate) invoice: Option<&'a str>,
    /// The earliest time.
    pub(crate) since: Option<Moment>,
}

impl Session<'_> {
    /// Writes a transaction and assigns its id, its approval and, if it moves money, its batch.
    pub(crate) fn create_transaction(&self, mut record: Transaction, at: Moment) -> Result<Transaction> {
        let number = self.next(Kind::Transaction)?;
        // Ids count from somewhere near 700001, as the vendor's samples do.
        let id = 700_000 + self.seed.0 % 1_000 * 100 + number;
        record.id = TransactionId::try_from(id.to_string()).ok();
        record.authorization_code = record
            .is_approved()
            .then(|| record.authorization_code.take())
            .map(|given| given.unwrap_or_else(|| format!("TAS{}", self.seed.digits("approval", number, 3))));
        record.created = Some(Timestamp::reported(&at.stamp()));
        let batch = if moves_money(&record) { Some(self.taking_batch(at)?) } else { None };
        let mut columns = self.transaction_columns(number, at, &record);
        columns.push(("batch", batch.map(u64::cast_signed).into()));
        insert(self.connection, "transactions", columns)?;
        record.batch_string_id = batch.map(|number| number.to_string());
        Ok(record)
    }

    fn transaction_columns(&self, number: u64, at: Moment, record: &Transaction) -> Columns {
        let Transaction {
            id,
            transaction_type,
            amount,
            result,
            result_code,
            display_message,
            status,
            authorization_code,
            card: _,
            last_four,
            card_type,
            exp_date,
            entry_method: _,
            created: _,
            batch_string_id: _,
            ref_id,
            original_amount,
            partial_approved: _,
            surcharge_applied: _,
            service_fee: _,
            sales_tax_amount,
            tip_amount,
            invoice,
            purchase_order,
            order_id,
            customer_id,
            description,
            comments,
            token_description,
            email_address,
            billing,
            shipping,
            billing_is_shipping,
            software_type,
            software_type_version,
            avs_result_code,
            avs_result_code_description: _,
            csc_result_code,
            csc_result_code_description: _,
            check_field_duplicate: _,
            pending: _,
            settled: _,
            voided,
            voided_auth: _,
            merchant_id: _,
            terminal_id: _,
            plan_name,
        } = record;
        vec![
            ("world", self.world.into()),
            ("number", number.cast_signed().into()),
            ("id", text(id.as_ref())),
            ("type", text(transaction_type.as_ref().map(TransactionType::as_str))),
            ("amount", cents(Some(amount.unwrap_or_default()))),
            ("asked", cents(*original_amount)),
            ("result", text(result.as_ref().map(TransactionResult::as_str))),
            ("result_code", text(result_code.as_ref())),
            ("display_message", text(display_message.as_ref())),
            ("status", text(status.as_ref())),
            ("authorization_code", text(authorization_code.as_ref())),
            ("last_four", text(last_four.as_ref())),
            ("card_type", text(card_type.as_ref().map(CardBrand::as_str))),
            ("exp_date", to_text(exp_date.as_ref())),
            ("created", at.millis().into()),
            ("ref_id", text(ref_id.as_ref())),
            ("sales_tax", cents(*sales_tax_amount)),
            ("tip", cents(*tip_amount)),
            ("invoice", text(invoice.as_ref())),
            ("purchase_order", text(purchase_order.as_ref())),
            ("order_id", text(order_id.as_ref())),
            ("customer_id", text(customer_id.as_ref())),
            ("description", prose(description.as_ref())),
            ("comments", prose(comments.as_ref())),
            ("token_description", prose(token_description.as_ref())),
            (
                "billing_is_shipping",
                billing_is_shipping.as_ref().and_then(Reported::value).unwrap_or_default().into(),
            ),
            ("email_address", text(email_address.as_ref())),
            ("billing", address(billing.as_ref())),
            ("shipping", address(shipping.as_ref())),
            ("software_type", prose(software_type.as_ref())),
            ("software_type_version", text(software_type_version.as_ref())),
            ("avs", text(avs_result_code.as_ref())),
            ("csc", text(csc_result_code.as_ref())),
            ("pending", reserves(record).into()),
            ("voided", voided.unwrap_or_default().into()),
            ("plan_name", text(plan_name.as_ref())),
        ]
    }

    /// The transaction of this id, while the gateway keeps it.
    pub(crate) fn transaction(&self, id: &TransactionId) -> Result<Option<Transaction>> {
        let sql = "SELECT * FROM transactions WHERE world = ? AND id = ? AND created >= ?";
        let values = params![self.world, id.as_str(), self.retained_from()];
        self.connection.prepare_cached(sql)?.query_row(values, transaction(self.open_batch()?)).optional()
    }

    /// The first millisecond whose transactions are still found.
    fn retained_from(&self) -> i64 {
        self.now.millis_before(self.gateway.retention)
    }

    /// The number of the last transaction that the gateway no longer finds; 0 if there is none. Numbers increase with
    /// time.
    pub(crate) fn forgotten(&self) -> Result<u64> {
        let sql = "SELECT number FROM transactions WHERE world = ? AND created < ? ORDER BY created DESC, number DESC LIMIT 1";
        let forgotten = params![self.world, self.retained_from()];
        let last = self.connection.prepare_cached(sql)?.query_row(forgotten, |row| row.get(0)).optional()?;
        Ok(last.unwrap_or_default())
    }

    /// The total of approved transactions of this type that follow up this one, except for voided ones.
    pub(crate) fn followed_up(&self, id: &TransactionId, kind: &TransactionType) -> Result<Total> {
        let sql = "SELECT coalesce(sum(amount), 0) FROM transactions
                   WHERE world = ? AND ref_id = ? AND type = ? AND result = 'APPROVED' AND voided = 0";
        let follow_up = params![self.world, id.as_str(), kind.as_str()];
        self.connection.prepare_cached(sql)?.query_row(follow_up, |row| row.get(0).map(Total::from_cents))
    }

    /// The last approved charge of this type and amount that matches the key, unless it was voided or a plan made it.
    pub(crate) fn earlier_charge(
        &self,
        charge: &Transaction,
        DuplicateKey { last_four, invoice, since }: &DuplicateKey<'_>,
    ) -> Result<Option<Transaction>> {
        let sql = "SELECT * FROM transactions INDEXED BY transactions_amount
                   WHERE world = ?1 AND amount IN (?2, ?3) AND coalesce(asked, amount) = ?2 AND type = ?4
                   AND result = 'APPROVED' AND voided = 0 AND software_type IS NOT ?5
                   AND (?6 IS NULL OR last_four = ?6) AND (?7 IS NULL OR invoice = ?7)
                   AND created >= ?8 ORDER BY number DESC LIMIT 1";
        let kind = text(charge.transaction_type.as_ref().map(TransactionType::as_str));
        let approved = charge.amount.and_then(|amount| self.gateway.approves_of(amount)).or(charge.amount);
        let since = since.map_or(i64::MIN, Moment::millis).max(self.retained_from());
        let same = params![
            self.world,
            cents(charge.amount),
            cents(approved),
            kind,
            Transaction::ENGINE,
            last_four,
            invoice,
            since
        ];
        self.connection.prepare_cached(sql)?.query_row(same, transaction(self.open_batch()?)).optional()
    }

    pub(crate) fn set_tip(&self, id: &TransactionId, tip: Amount) -> Result<()> {
        let sql = "UPDATE transactions SET tip = ? WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.execute(params![cents(Some(tip)), self.world, id.as_str()])?;
        Ok(())
    }

    pub(crate) fn void_transaction(&self, id: &TransactionId) -> Result<()> {
        let sql = "UPDATE transactions SET voided = 1, pending = 0 WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.execute(params![self.world, id.as_str()])?;
        Ok(())
    }

    /// Records whether an authorization waits to be captured.
    pub(crate) fn set_pending(&self, id: &TransactionId, pending: bool) -> Result<()> {
        let sql = "UPDATE transactions SET pending = ? WHERE world = ? AND id = ?";
        self.connection.prepare_cached(sql)?.execute(params![pending, self.world, id.as_str()])?;
        Ok(())
    }

    /// Transactions made in these milliseconds that match the search and that a search at this time finds, except for
    /// the first ones, up to this number.
    pub(crate) fn transactions(
        &self,
        search: TransactionSearch,
        from: Option<i64>,
        to: Option<i64>,
        but: u64,
        time: Option<Moment>,
    ) -> Result<(Vec<Transaction>, Page)> {
        let TransactionSearch {
            id,
            // A world has one terminal.
            level: _,
            amount,
            transaction_type,
            status,
            last_four,
            authorization_code,
            invoice,
            order_id,
            display_message,
            start_date: _,
            end_date: _,
            paging,
        } = search;
        let by_order =
            if self.gateway.order_id_searchable { "order_id = ?" } else { "order_id = ? AND FALSE" };
        List::of(Kind::Transaction)
            .with("id = ?", id.map(|id| id.to_string()))
            .with("amount = ?", amount.map(|amount| cents(Some(amount))))
            .with("type = ?", transaction_type.map(|kind| kind.to_string()))
            .with("status = ? COLLATE NOCASE", status)
            .with_typed("last_four = ?", last_four)
            .with_typed("authorization_code = ?", authorization_code)
            .with_typed("invoice = ?", invoice)
            .with_typed(by_order, order_id)
            .with("display_message = ? COLLATE NOCASE", display_message)
            .with("created >= ?", from.map(Value::from))
            .with("created <= ?", to.map(Value::from))
            .with("created <= ?", time.map(|time| time.millis_before(self.gateway.search_lag)))
            .after(but)
            .page(self, &paging, ORDERS, transaction(self.open_batch()?))
    }
}

const ORDERS: &[(&str, &str)] = &[
    ("id", "number"),
    ("created", "created"),
    ("amount", "amount"),
    ("type", "type"),
    ("status", "status"),
    ("invoice", "invoice"),
    ("order-id", "order_id"),
];

fn description(answers: &[CheckAnswer], code: Option<&str>) -> Option<String> {
    let answer = answers.iter().find(|answer| Some(answer.code) == code);
    answer.map(|answer| answer.description.into())
}

/// Whether the transaction takes or returns money. An authorization only reserves an amount, and a void cancels an
/// unsettled transaction.
fn moves_money(record: &Transaction) -> bool {
    const MOVING: [TransactionType; 5] = [
        TransactionType::SALE,
        TransactionType::FORCED_SALE,
        TransactionType::CAPTURE,
        TransactionType::REFUND,
        TransactionType::UNMATCHED_REFUND,
    ];
    record.is_approved() && record.transaction_type.as_ref().is_some_and(|kind| MOVING.contains(kind))
}

/// Whether it reserves an amount for a capture.
fn reserves(record: &Transaction) -> bool {
    record.is_approved()
        && record.transaction_type == Some(TransactionType::AUTH)
        && record.amount.is_some_and(|amount| !amount.is_zero())
}

/// Reads stored transactions, which show only the last four digits of their cards.
fn transaction(open_batch: Option<(u64, Moment)>) -> impl Fn(&Row<'_>) -> Result<Transaction> {
    let open = open_batch.map(|(number, _)| number);
    move |row| transaction_when(row, open)
}

fn transaction_when(row: &Row<'_>, open_batch: Option<u64>) -> Result<Transaction> {
    let row = &NamedRow::of(row);
    let requested = read_amount(row, "asked")?;
    let (amount, last_four) = (read_amount(row, "amount")?, row.get::<Option<String>>("last_four")?);
    let kind = TransactionType::reported(&row.get::<String>("type")?);
    let (batch, voided): (Option<u64>, bool) = (row.get("batch")?, row.get("voided")?);
    let (avs, csc): (Option<String>, Option<String>) = (row.get("avs")?, row.get("csc")?);
    Ok(Transaction {
        id: Some(read(row, "id")?),
        voided_auth: Some(voided && kind == TransactionType::AUTH),
        transaction_type: Some(kind),
        amount,
        result: Some(TransactionResult::reported(&row.get::<String>("result")?)),
        result_code: row.get("result_code")?,
        display_message: row.get("display_message")?,
        status: row.get("status")?,
        authorization_code: row.get("authorization_code")?,
        card: last_four.clone(),
        last_four,
        card_type: read_brand(row)?,
        exp_date: read_expiry(row)?.map(Reported::from),
        // Nothing is swiped here. That it is the same for tokens is inferred.
        entry_method: Some("0".into()),
        created: Some(Timestamp::reported(&Moment::from_millis(row.get("created")?).stamp())),
        // The vendor's samples have `59` in the answer to a transaction, and `000377` in a record of one.
        batch_string_id: batch.map(|number| format!("{number:06}")),
        ref_id: read_some(row, "ref_id")?,
        original_amount: requested.or(amount),
        partial_approved: requested.map(|_| true),
        surcharge_applied: None,
        service_fee: None,
        sales_tax_amount: read_amount(row, "sales_tax")?,
        tip_amount: read_amount(row, "tip")?,
        invoice: row.get("invoice")?,
        purchase_order: row.get("purchase_order")?,
        order_id: row.get("order_id")?,
        customer_id: row.get("customer_id")?,
        description: row.get("description")?,
        comments: row.get("comments")?,
        token_description: row.get("token_description")?,
        email_address: row.get("email_address")?,
        billing: read_address(row, "billing")?,
        shipping: read_address(row, "shipping")?,
        billing_is_shipping: Some(Reported::Value(row.get("billing_is_shipping")?)),
        software_type: row.get("software_type")?,
        software_type_version: row.get("software_type_version")?,
        avs_result_code_description: description(CheckAnswer::AVS, avs.as_deref()),
        avs_result_code: avs,
        csc_result_code_description: description(CheckAnswer::CSC, csc.as_deref()),
        csc_result_code: csc,
        check_field_duplicate: None,
        pending: Some(row.get("pending")?),
        settled: Some(batch.is_some() && batch != open_batch),
        voided: Some(voided),
        merchant_id: None,
        terminal_id: None,
        plan_name: row.get("plan_name")?,
    })
}
