//! A payment on a page: made once, reported to the page's creator, and shown to the payer.

use http::StatusCode;
use maud::Markup;
use perennial_domain::Text;
use perennial_domain::clientpay::{Emails, NewPayer, PageStatus, Payment, PaymentStatus, Postback};
use perennial_wire::clientpay::payment;

use super::amounts::AmountTable;
use super::fill::{self, Entered, Problems, Source};
use super::{HtmlResponse, PageRequest, token, view};
use crate::clientpay::pages;
use crate::clientpay::payments::{Charge, charge};
use crate::form::Form;
use crate::store::clientpay::payer::StoredMethod;
use crate::store::clientpay::payment::Booked;

/// The text of a decline for payers: its reason is between the gateway and the merchant.
const DECLINED: &str = "The payment could not be processed. Nothing was charged; try another way to pay.";

impl PageRequest<'_> {
    pub(super) fn pay(&self, form: Option<&Form>) -> rusqlite::Result<HtmlResponse> {
        let amounts = AmountTable::of(self.document);
        let offered = self.offered()?;
        let Some(form) = form else {
            let (first, problems) = (self.first(), Problems::default());
            return Ok(self.form_page(StatusCode::OK, &amounts, &offered, &first, &problems, None));
        };
        let mut problems = Problems::default();
        let (amount, tax) = amounts.total(form, &mut problems);
        let source = fill::source(form, &offered, self.any_card, &mut problems);
        let payer = self.payer_to_save(form, &mut problems);
        let source = match source {
            Some(source) if problems.is_empty() => source,
            _ => {
                return Ok(self.form_page(
                    StatusCode::BAD_REQUEST,
                    &amounts,
                    &offered,
                    form,
                    &problems,
                    None,
                ));
            }
        };
        let [session_id, customer_ref] = self.document.references();
        let order = Charge {
            request_id: &self.page.request_id,
            session_id,
            customer_ref,
            amount,
            tax,
            order_id: None,
            description: None,
        };
        let booked = charge(self.session, &order, &source.charged(), self.decline)?;
        if !booked.payment.is_approved() {
            self.write_postbacks(&booked, PageStatus::ACTIVE)?;
            return Ok(self.form_page(
                StatusCode::PAYMENT_REQUIRED,
                &amounts,
                &offered,
                form,
                &problems,
                Some(DECLINED),
            ));
        }
        self.session.end_page(&self.page.request_id, &PageStatus::COMPLETED)?;
        if let (Some(payer), Source::Entered(entered)) = (payer, source) {
            let Entered { method, charged } = *entered;
            let id = self.session.create_payer(&payer)?;
            self.session.add_method(&id, &method, charged.trigger.as_ref())?;
        }
        self.write_postbacks(&booked, PageStatus::COMPLETED)?;
        Ok(self.see())
    }

    /// Stored methods that the payer may choose: the one that the page names, or all methods of the payer that it
    /// names.
    fn offered(&self) -> rusqlite::Result<Vec<StoredMethod>> {
        let Some(source) = self.document.source() else { return Ok(Vec::new()) };
        match self.session.method(source)? {
            Some(method) => Ok(vec![method]),
            None => self.session.methods_of(source),
        }
    }

    /// The initial values of the form.
    fn first(&self) -> Form {
        let (name, address) = self.document.filled();
        let mut first = Form::default();
        if let Some(name) = name {
            first.set("card-name", name.as_str());
            first.set("account-name", name.as_str());
        }
        if let Some(address) = address.map(|address| address.fields()) {
            let state = address.state.map(|state| state.as_str());
            let text = |text: Option<&'_ Text>| text.map(|text| text.as_str().to_owned());
            let members = [
                ("address", text(address.address_line1)),
                ("city", text(address.city)),
                ("state", state.map(str::to_owned)),
                ("zip", text(address.zip_code)),
            ];
            for (field, value) in members {
                first.set(field, &value.unwrap_or_default());
            }
        }
        first
    }

    fn may_save(&self) -> bool {
        let options = self.document.options().map(|options| options.fields());
        options.and_then(|options| options.enable_payer_saving).is_none_or(|flag| flag.0)
    }

    /// The payer to store with the method, if the payer chose so and the page allows it.
    fn payer_to_save(&self, form: &Form, problems: &mut Problems) -> Option<NewPayer> {
        let is_new = matches!(form.text("method"), "card" | "echeck");
        if !self.may_save() || form.text("save").is_empty() || !is_new {
            return None;
        }
        let email = form.text("email");
        if !email.contains('@') || Emails::try_from(email).is_err() {
            problems.add("email", "Enter an email address to save the payment method under.");
            return None;
        }
        let name = if form.text("method") == "card" { "card-name" } else { "account-name" };
        let (first, last) = form.text(name).split_once(' ').unwrap_or((form.text(name), ""));
        let mut payer = NewPayer::builder().emails(email).first_name(first);
        if !last.trim().is_empty() {
            payer = payer.last_name(last.trim());
        }
        // An invalid name is reported with the method.
        payer.build().ok()
    }

    fn form_page(
        &self,
        status: StatusCode,
        amounts: &AmountTable,
        offered: &[StoredMethod],
        form: &Form,
        problems: &Problems,
        message: Option<&str>,
    ) -> HtmlResponse {
        let options = self.document.options().map(|options| options.fields());
        let is_payer_facing =
            options.as_ref().and_then(|options| options.is_payer_facing).is_none_or(|flag| flag.0);
        let footer = options.and_then(|options| options.footer_text).map(Text::as_str);
        let token = token(self.session.seed, &self.page.request_id);
        let content = view::pay(&view::Pay {
            amounts,
            offered,
            form: &form.without_cards(),
            problems,
            message,
            token: &token,
            footer,
            is_payer_facing,
            may_save: self.may_save(),
        });
        self.render(status, &content)
    }

    /// Messages to the page's owner about a payment: that it is being processed, and its result.
    fn messages(&self, booked: &Booked, status: PageStatus) -> [Vec<u8>; 2] {
        let processing = Payment {
            success: Some(true),
            request_id: booked.payment.request_id.clone(),
            payment_status: Some(PaymentStatus::PROCESSING),
            ..Payment::default()
        };
        let done = Payment {
            payment_page_url_status: Some(status),
            payment_page_url: Some(pages::url(self.site, self.page)),
            message: None,
            ..booked.payment.clone()
        };
        [processing, done].map(|report| payment::encode_postback(&Postback::Payment(Box::new(report))))
    }

    fn write_postbacks(&self, booked: &Booked, status: PageStatus) -> rusqlite::Result<()> {
        let (Some(url), Some(id)) = (self.document.return_address(), &booked.payment.payment_id) else {
            return Ok(());
        };
        for (event, body) in ["processing", "payment"].into_iter().zip(self.messages(booked, status)) {
            self.session.write_postback(id.as_str(), event, &String::from_utf8_lossy(&body), url)?;
        }
        Ok(())
    }

    pub(super) fn receipt(&self) -> rusqlite::Result<Markup> {
        let booked = self.session.payment_under(&self.page.request_id)?;
        let Some(booked) = booked else { return Ok(view::saved()) };
        let parent = self.parent().map(|origin| {
            let messages = self.messages(&booked, PageStatus::COMPLETED);
            let messages = messages.map(|body| String::from_utf8_lossy(&body).into_owned());
            (origin, format!("[{}]", messages.join(",")))
        });
        Ok(view::receipt(
            &booked,
            parent.as_ref().map(|(origin, messages)| (origin.as_str(), messages.as_str())),
        ))
    }
}
