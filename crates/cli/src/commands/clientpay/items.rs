//! Items on a page: one item by options, or several from a JSON file.

use std::path::PathBuf;

use perennial::Builder;
use perennial::clientpay::{ConnectInvoice, LineItem, PageInvoice};
use perennial::transport::redact;
use serde_json::{Map, Value};

use super::names::kebab;
use crate::failure::Failure;
use crate::input;

/// The members of an item, by option name.
struct Members(Vec<(String, String)>);

/// Declares the options of one item of a page, and the option for a file of several.
macro_rules! items {
    (
        $(#[$meta:meta])*
        $Items:ident from $file:literal: $Options:ident fills $Builder:ty {
            $( $(#[$option_meta:meta])* $field:ident = $long:literal, $value:literal; )*
        }
    ) => {
        object! {
            $(#[$meta])*
            $Options fills $Builder { $( $(#[$option_meta])* $field = $long, $value; )* }
        }

        #[derive(Debug, clap::Args)]
        $(#[$meta])*
        pub(super) struct $Items {
            /// A JSON file with an array of objects with the wire's members, instead of the options for one; - reads
            /// standard input. Amounts are text
            #[arg(id = $file, long = $file, value_name = "FILE")]
            file: Option<PathBuf>,
            #[command(flatten)]
            one: $Options,
        }

        impl $Items {
            /// Whether the items come from a file.
            pub(super) fn are_listed(&self) -> bool {
                self.file.is_some()
            }

            pub(super) fn read(&self) -> Result<Vec<$Builder>, Failure> {
                let one = self.one.object();
                match (&self.file, one) {
                    (None, one) => Ok(one.into_iter().collect()),
                    (Some(_), Some(_)) => {
                        Err(Failure::Usage(concat!("--", $file, " lists all: leave out the options of one").to_owned()))
                    }
                    (Some(file), None) => {
                        let listed = input::list(file)?.into_iter().enumerate().map(|(at, item)| {
                            let mut members = Members::of(at, item)?;
                            let options = $Options { $( $field: members.take($long), )* };
                            members.finish(at)?;
                            Ok(options.fill(<$Builder>::default()))
                        });
                        listed.collect()
                    }
                }
            }
        }
    };
}

items! {
    #[command(next_help_heading = "Invoices")]
    Invoices from "invoices-file": InvoiceOptions fills Builder<PageInvoice> {
        /// The number that the payer sees; required
        invoice_number = "invoice-number", "TEXT";
        /// The invoice date, yyyy-mm-dd or mm/dd/yyyy; required
        invoice_date = "invoice-date", "DATE";
        /// The amount left to pay; required
        outstanding_balance = "outstanding-balance", "AMOUNT";
        /// Whether the payer may change the amount; the default is true
        editable = "editable", "BOOL";
        /// The due date
        due_date = "due-date", "DATE";
        /// The amount before tax and discount
        subtotal_amount = "subtotal-amount", "AMOUNT";
        /// The discount
        discount_amount = "discount-amount", "AMOUNT";
        /// The tax
        tax = "tax", "AMOUNT";
        /// The amount to pay now, if it differs from the balance
        payment_amount = "payment-amount", "AMOUNT";
        /// Your id for the client
        client_id = "client-id", "TEXT";
        /// The client's name
        client_name = "client-name", "TEXT";
        /// The URL of the invoice document
        pdf_link = "pdf-link", "URL";
    }
}

items! {
    #[command(next_help_heading = "Items")]
    LineItems from "line-items-file": LineItemOptions fills Builder<LineItem> {
        /// The total of the item; required
        payment_amount = "payment-amount", "AMOUNT";
        /// Whether the payer may change the amount; the default is true
        editable = "editable", "BOOL";
        /// Your id for the item
        item_id = "item-id", "TEXT";
        /// The name of the item
        item_name = "item-name", "TEXT";
        /// The description of the item
        item_description = "item-description", "TEXT";
    }
}

items! {
    #[command(next_help_heading = "Invoices")]
    ConnectInvoices from "invoices-file": ConnectInvoiceOptions fills Builder<ConnectInvoice> {
        /// The number that the payer sees; required
        invoice_number = "invoice-number", "TEXT";
        /// The invoice date, yyyy-mm-dd or mm/dd/yyyy; required
        invoice_date = "invoice-date", "DATE";
        /// The amount left to pay; required
        outstanding_balance = "outstanding-balance", "AMOUNT";
        /// The amount to pay now, if it differs from the balance
        payment_amount = "payment-amount", "AMOUNT";
        /// The number of the matter
        matter_number = "matter-number", "TEXT";
        /// The description of the matter
        matter_description = "matter-description", "TEXT";
        /// Your id for the client
        client_id = "client-id", "TEXT";
        /// The client's name
        client_name = "client-name", "TEXT";
        /// The URL of the invoice document
        pdf_link = "pdf-link", "URL";
        /// Whether several payers share it; for Enterprise
        is_multi_pay = "is-multi-pay", "BOOL";
        /// The primary key of the matter; for ProLaw
        matter_pk = "matter-pk", "TEXT";
    }
}

impl Members {
    fn of(at: usize, item: Map<String, Value>) -> Result<Self, Failure> {
        let members =
            item.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
                Value::String(text) => Ok((kebab(&name), text)),
                Value::Bool(flag) => Ok((kebab(&name), flag.to_string())),
                _ => {
                    let name = redact::text(&name);
                    Err(Failure::Usage(format!("[{at}].{name} of the list must be text, true or false")))
                }
            });
        Ok(Self(members.collect::<Result<_, _>>()?))
    }

    fn take(&mut self, option: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == option)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Checks that every member of the item was used.
    fn finish(&self, at: usize) -> Result<(), Failure> {
        let Some((name, _)) = self.0.first() else { return Ok(()) };
        let name = redact::text(name);
        Err(Failure::Usage(format!("[{at}] of the list has a member that is not known: {name}")))
    }
}
