//! Amounts to pay on a page: lines with their cells, and the amounts that the payer may change.

use std::borrow::Cow;

use perennial_domain::clientpay::{ConnectInvoiceFields, InvoiceFields, LineItemFields, Portion};
use perennial_domain::{Amount, Text};

use super::fill::Problems;
use crate::clientpay::pages::Document;
use crate::form::Form;

/// The lines of a page.
pub(super) struct AmountTable {
    pub(super) heads: Vec<String>,
    pub(super) lines: Vec<Line>,
}

/// An invoice or an item.
pub(super) struct Line {
    /// One cell for each head.
    pub(super) cells: Vec<String>,
    /// The URL of the invoice document.
    pub(super) link: Option<String>,
    /// The amount to pay, unless the payer changes it.
    pub(super) amount: Amount,
    /// The maximum amount to pay.
    pub(super) most: Option<Amount>,
    pub(super) is_editable: bool,
    /// The parts of the balance, as far as the request gave them.
    pub(super) parts: Vec<(&'static str, Amount)>,
    tax: Amount,
}

impl AmountTable {
    #[expect(clippy::too_many_lines, reason = "each kind of page has its own columns")]
    pub(super) fn of(document: &Document) -> Self {
        let text = |text: Option<&Text>| text.map_or(String::new(), |text| text.as_str().to_owned());
        let heads = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        match document {
            Document::Invoices(page) => {
                let lines = page.fields().invoices.iter().map(|invoice| {
                    let InvoiceFields {
                        invoice_number,
                        invoice_date,
                        outstanding_balance,
                        editable,
                        due_date,
                        subtotal_amount,
                        discount_amount,
                        tax,
                        payment_amount,
                        client_name,
                        pdf_link,
                        ..
                    } = invoice.fields();
                    let due = due_date.map(ToString::to_string).unwrap_or_default();
                    Line {
                        cells: vec![
                            text(Some(invoice_number)),
                            invoice_date.to_string(),
                            due,
                            text(client_name),
                            outstanding_balance.to_string(),
                        ],
                        link: pdf_link.map(|link| link.as_str().to_owned()),
                        amount: *payment_amount.unwrap_or(outstanding_balance),
                        most: Some(*outstanding_balance),
                        is_editable: editable.is_none_or(|flag| flag.0),
                        parts: [("Subtotal", subtotal_amount), ("Discount", discount_amount), ("Tax", tax)]
                            .into_iter()
                            .filter_map(|(what, part)| Some((what, part?.amount())))
                            .collect(),
                        tax: tax.copied().map_or(Amount::ZERO, Portion::amount),
                    }
                });
                let lines = lines.collect();
                Self { heads: heads(&["Invoice", "Date", "Due", "Client", "Balance"]), lines }.tightened()
            }
            Document::Connect(page) => {
                let lines = page.fields().invoices.iter().map(|invoice| {
                    let ConnectInvoiceFields {
                        invoice_number,
                        invoice_date,
                        outstanding_balance,
                        payment_amount,
                        matter_number,
                        matter_description,
                        client_name,
                        pdf_link,
                        ..
                    } = invoice.fields();
                    Line {
                        cells: vec![
                            text(Some(invoice_number)),
                            invoice_date.to_string(),
                            text(matter_number),
                            text(matter_description),
                            text(client_name),
                            outstanding_balance.to_string(),
                        ],
                        link: pdf_link.map(|link| link.as_str().to_owned()),
                        amount: *payment_amount.unwrap_or(outstanding_balance),
                        most: Some(*outstanding_balance),
                        is_editable: true,
                        parts: Vec::new(),
                        tax: Amount::ZERO,
                    }
                });
                let names = ["Invoice", "Date", "Matter", "Description", "Client", "Balance"];
                Self { heads: heads(&names), lines: lines.collect() }.tightened()
            }
            Document::LineItems(page) => {
                let fields = page.fields();
                let labels = fields.line_item_table_labels.map(|labels| labels.fields());
                let head = |name: Option<&Text>, default: &str| {
                    name.map_or(default, |name| name.as_str()).to_owned()
                };
                let labels = labels.map_or((None, None, None), |labels| {
                    (labels.item_id_label, labels.item_name_label, labels.item_description_label)
                });
                let lines = fields.line_items.iter().map(|item| {
                    let LineItemFields { payment_amount, editable, item_id, item_name, item_description } =
                        item.fields();
                    Line {
                        cells: vec![text(item_id), text(item_name), text(item_description)],
                        link: None,
                        amount: *payment_amount,
                        most: None,
                        is_editable: editable.is_none_or(|flag| flag.0),
                        parts: Vec::new(),
                        tax: Amount::ZERO,
                    }
                });
                let heads = vec![
                    head(labels.0, "Item ID"),
                    head(labels.1, "Item Name"),
                    head(labels.2, "Item Description"),
                ];
                Self { heads, lines: lines.collect() }.tightened()
            }
            Document::Payer(_) => Self { heads: Vec::new(), lines: Vec::new() },
        }
    }

    /// Removes columns without a value on any line.
    fn tightened(mut self) -> Self {
        for column in (0..self.heads.len()).rev() {
            if self.lines.iter().all(|line| line.cells[column].is_empty()) {
                self.heads.remove(column);
                self.lines.iter_mut().for_each(|line| drop(line.cells.remove(column)));
            }
        }
        self
    }

    /// The total to pay and the tax in it; zero tax after an amount was changed. Some of several lines may be omitted.
    pub(super) fn total(&self, form: &Form, problems: &mut Problems) -> (Amount, Amount) {
        let (mut total, mut tax, mut is_changed) = (Amount::ZERO, Amount::ZERO, false);
        for (at, line) in self.lines.iter().enumerate() {
            let field = format!("amount-{at}");
            let amount = match self.amount(line, form.text(&field)) {
                Ok(amount) => amount,
                Err(problem) => {
                    problems.add(&field, problem);
                    continue;
                }
            };
            is_changed |= amount != line.amount;
            match total.checked_add(amount).zip(tax.checked_add(line.tax)) {
                Some(sums) => (total, tax) = sums,
                None => problems.add(&field, "The total is too large."),
            }
        }
        if problems.is_empty() && total.is_zero() {
            problems.add("amount-0", "Enter an amount to pay.");
        }
        (total, if is_changed { Amount::ZERO } else { tax.min(total) })
    }

    fn amount(&self, line: &Line, entered: &str) -> Result<Amount, String> {
        if !line.is_editable {
            return Ok(line.amount);
        }
        let amount = match &*without_commas(entered.strip_prefix('$').unwrap_or(entered).trim()) {
            "" if self.lines.len() > 1 => Amount::ZERO,
            "" => return Err("Enter an amount to pay.".into()),
            plain if self.lines.len() > 1 && matches!(plain, "0" | "0.00") => Amount::ZERO,
            plain => Amount::try_from(plain).map_err(|_| "Enter an amount such as 125.50.".to_owned())?,
        };
        match line.most {
            Some(most) if amount > most => Err(format!("Enter at most the balance, {most}.")),
            _ => Ok(amount),
        }
    }
}

/// Removes the commas between thousands. Any other comma stays and makes the amount invalid: it may be meant as a
/// decimal point.
fn without_commas(entered: &str) -> Cow<'_, str> {
    let (whole, cents) = entered.split_at(entered.find('.').unwrap_or(entered.len()));
    let is_grouped = match whole.split_once(',') {
        Some((first, rest)) => matches!(first.len(), 1..=3) && rest.split(',').all(|group| group.len() == 3),
        None => false,
    };
    if is_grouped { Cow::Owned(whole.replace(',', "") + cents) } else { Cow::Borrowed(entered) }
}
