//! Pages: creating and ending them. [`crate::payment_page`] serves them to payers.

use perennial_domain::clientpay::{
    AccessId, Address, ConnectPage, ConnectSearchFields, InvoicePage, LineItemPage, OpenInvoice, Page,
    PageDuration, PageOptions, PageStatus, PayerId, PayerPage, PaymentSource, RequestId, ResponseOptions,
    SearchOption, UsedRequestId, WebAddress,
};
use perennial_domain::{Rule, Text, Violations};
use perennial_wire::clientpay::{
    Call as Sent, Operation, Received, Reply, Session as WireSession, Version, invoice, page,
};

use super::answer::{Answer, CallError, Refused};
use super::{Call, Handled, LIMITS, act, spend};
use crate::mask;
use crate::store::clientpay::page::StoredPage;
use crate::store::session::Session;

/// A page of one of the known kinds.
pub(crate) enum Document {
    Invoices(InvoicePage),
    LineItems(LineItemPage),
    Connect(ConnectPage),
    Payer(PayerPage),
}

/// Fields that each kind of page has; a payer page may differ.
macro_rules! of_each {
    ($document:expr, $fields:ident => $value:expr) => {
        of_each!($document, $fields => $value, $fields => $value)
    };
    ($document:expr, $fields:ident => $value:expr, $payer:pat => $other:expr) => {
        match $document {
            Document::Invoices(page) => {
                let $fields = page.fields();
                $value
            }
            Document::LineItems(page) => {
                let $fields = page.fields();
                $value
            }
            Document::Connect(page) => {
                let $fields = page.fields();
                $value
            }
            Document::Payer(page) => {
                let $payer = page.fields();
                $other
            }
        }
    };
}

impl Document {
    fn read(route: Operation, version: Version, body: &[u8]) -> Result<(RequestId, Self), super::ReadError> {
        Ok(match route {
            Operation::LineItemPage => {
                let Received { request_id, request, .. } = page::read_line_items(version, body, &LIMITS)?;
                (request_id, Self::LineItems(request))
            }
            Operation::ConnectPage => {
                let Received { request_id, request, .. } = page::read_connect(version, body, &LIMITS)?;
                (request_id, Self::Connect(request))
            }
            Operation::PayerPage => {
                let Received { request_id, request, .. } = page::read_payer(body, &LIMITS)?;
                (request_id, Self::Payer(request))
            }
            _ => {
                let Received { request_id, request, .. } = page::read_invoices(version, body, &LIMITS)?;
                (request_id, Self::Invoices(request))
            }
        })
    }

    /// Reads the stored request of a page; `None` if it cannot be read.
    pub(crate) fn of(stored: &StoredPage) -> Option<Self> {
        let route = match stored.kind.as_str() {
            "lineItemPaymentPage" => Operation::LineItemPage,
            "connectPaymentPage" => Operation::ConnectPage,
            "payerPage" => Operation::PayerPage,
            _ => Operation::InvoicePage,
        };
        Self::read(route, Version::V2, stored.document.as_bytes()).ok().map(|(_, document)| document)
    }

    /// The page's name in its URL. All but the first are **inferred**.
    fn kind(&self) -> &'static str {
        match self {
            Self::Invoices(_) => "invoicePaymentPage",
            Self::LineItems(_) => "lineItemPaymentPage",
            Self::Connect(_) => "connectPaymentPage",
            Self::Payer(_) => "payerPage",
        }
    }

    pub(crate) fn options(&self) -> Option<&PageOptions> {
        of_each!(self, fields => fields.page_options)
    }

    pub(crate) fn response_options(&self) -> Option<&ResponseOptions> {
        of_each!(self, fields => fields.response_options)
    }

    /// The URL to which the gateway posts the results.
    pub(crate) fn return_address(&self) -> Option<&str> {
        self.response_options()?.fields().server_side_return_address.map(WebAddress::as_str)
    }

    /// The caller's own references: the session and the customer.
    pub(crate) fn references(&self) -> [Option<&str>; 2] {
        of_each!(self, fields => [fields.session_id, fields.customer_id].map(|text| text.map(Text::as_str)))
    }

    /// The payer, or the stored method, that the page names.
    pub(crate) fn source(&self) -> Option<&str> {
        of_each!(
            self,
            fields => fields.payer_or_payment_method_id.map(PaymentSource::as_str),
            fields => fields.payer_id.map(PayerId::as_str)
        )
    }

    /// Initial values of the form: a name and an address.
    pub(crate) fn filled(&self) -> (Option<&Text>, Option<&Address>) {
        of_each!(self, fields => (fields.name_on_account, fields.billing_address), _ => (None, None))
    }

    /// The request in version 2 form, with card numbers in texts masked.
    fn written(&self, request_id: &RequestId) -> Option<String> {
        // Version 2 has no access id in a body.
        let nobody = AccessId::try_from("none").ok()?;
        let session = WireSession { version: Version::V2, access_id: &nobody };
        let sent: Sent = match self {
            Self::Invoices(page) => page::invoices(session, request_id, page),
            Self::LineItems(page) => page::line_items(session, request_id, page),
            Self::Connect(page) => page::connect(session, request_id, page),
            Self::Payer(page) => page::payer(session, request_id, page),
        }
        .ok()?;
        Some(mask::text(std::str::from_utf8(&sent.body?).ok()?))
    }
}

pub(super) fn create(call: &Call<'_>) -> Handled {
    let (request_id, document) = Document::read(call.operation, call.version, call.body)?;
    // A page of version 1.0 lasts 15 minutes unless it says otherwise, one of version 2 a year.
    let default = if call.version == Version::V1 { PageDuration::MIN } else { PageDuration::MAX };
    let site = call.site.to_owned();
    act(move |session, _| {
        spend(session, &request_id)?;
        if let Some(source) = document.source()
            && !session.has_payer(source)?
            && (matches!(document, Document::Payer(_)) || session.method(source)?.is_none())
        {
            return Err(Refused::unknown("payer or payment method").into());
        }
        if document.return_address().is_some_and(|address| mask::text(address) != address) {
            return Err(Refused::field(
                400,
                "An address with a card number in it is not kept.",
                "responseOptions.serverSideReturnAddress",
                "Must not have digits like those of a card.",
            )
            .into());
        }
        let Some(written) = document.written(&request_id) else {
            let violations = Violations::one("the body", Rule::TooLong { max: LIMITS.text });
            return Err(violations.into());
        };
        let duration = document.options().and_then(|options| options.fields().duration.copied());
        let seconds = duration.unwrap_or(default).get();
        session.store_page(request_id.expose(), document.kind(), &written, seconds)?;
        let new_page =
            Page { request_id: request_id.used(), url: url_of(&site, document.kind(), &request_id.used()) };
        let reply = Reply::success(Some(new_page));
        Ok(Answer::ok(match document {
            Document::Payer(_) => page::encode_payer(&reply),
            _ => page::encode(&reply),
        }))
    })
}

/// The URL of a page. The vendor's URLs carry everything after the `#`, which servers do not see and only scripts read;
/// here the path has the id too, so that the page needs no script.
pub(crate) fn url(site: &str, page: &StoredPage) -> String {
    format!("{site}/app/api/{id}#/{}/{id}", page.kind, id = page.request_id)
}

fn url_of(site: &str, kind: &str, id: &UsedRequestId) -> String {
    format!("{site}/app/api/{id}#/{kind}/{id}")
}

pub(super) fn expire(call: &Call<'_>) -> Handled {
    let Received { request_id, .. } = page::read_expire(call.body, &LIMITS)?;
    act(move |session, _| {
        let Some(stored) = session.page(request_id.expose())? else {
            return Err(Refused::unknown("page").into());
        };
        match stored.status(session.now) {
            status if status == PageStatus::COMPLETED => {
                return Err(Refused::new(400, "The page is completed and cannot be expired.").into());
            }
            status if status == PageStatus::ACTIVE => {
                session.end_page(request_id.expose(), &PageStatus::EXPIRED)?;
            }
            _ => {}
        }
        Ok(Answer::done())
    })
}

/// Searches the way a practice management system does; here, for invoices of unpaid connect pages.
pub(super) fn connect_search(call: &Call<'_>) -> Handled {
    let search = invoice::read_search(call.body, &LIMITS)?;
    act(move |session, _| {
        let ConnectSearchFields { connect_option, search_option, search_text, filter_option, filter_text } =
            search.fields();
        let open = open_invoices(session, *connect_option)?;
        let criteria = [
            Some((*search_option, search_text)),
            filter_text.map(|text| (filter_option.copied().unwrap_or(*search_option), text)),
        ];
        let is = |found: &OpenInvoice, (option, text): (SearchOption, &Text)| {
            let value = match option {
                SearchOption::Invoice => &found.invoice_number,
                SearchOption::Matter => &found.matter_number,
                SearchOption::Client => &found.client_id,
            };
            value.as_deref() == Some(text.as_str())
        };
        let found =
            open.into_iter().filter(|found| criteria.iter().flatten().all(|criterion| is(found, *criterion)));
        Ok(Answer::ok(invoice::encode_found(&Reply::success(Some(found.collect())))))
    })
}

fn open_invoices(
    session: &Session<'_>,
    option: perennial_domain::clientpay::ConnectOption,
) -> Result<Vec<OpenInvoice>, CallError> {
    let pages = session.pages("connectPaymentPage")?;
    let waiting = pages.iter().filter(|page| page.status(session.now) == PageStatus::ACTIVE);
    let documents = waiting.filter_map(|page| match Document::of(page) {
        Some(Document::Connect(page)) if *page.fields().connect_option == option => Some(page),
        _ => None,
    });
    let text = |text: Option<&Text>| text.map(|text| text.as_str().to_owned());
    Ok(documents
        .flat_map(|page| {
            let open = page.fields().invoices.iter().map(|invoice| {
                let fields = invoice.fields();
                OpenInvoice {
                    invoice_number: text(Some(fields.invoice_number)),
                    invoice_date: Some(*fields.invoice_date),
                    outstanding_balance: Some(*fields.outstanding_balance),
                    payment_amount: fields.payment_amount.copied(),
                    matter_number: text(fields.matter_number),
                    matter_description: text(fields.matter_description),
                    client_id: text(fields.client_id),
                    client_name: text(fields.client_name),
                    pdf_link: fields.pdf_link.map(|link| link.as_str().to_owned()),
                    is_multi_pay: fields.is_multi_pay.map(|flag| flag.0),
                    matter_pk: text(fields.matter_pk),
                }
            });
            open.collect::<Vec<_>>()
        })
        .collect())
}
