//! A payer page: it stores methods for a payer, existing or new, and charges nothing.

use http::StatusCode;
use perennial_domain::clientpay::{
    MethodUpdate, NewPayer, PageStatus, PayerId, PayerPage, PayerPageFields, Postback, SavedPayer,
    UsedRequestId,
};
use perennial_domain::{Expiry, Text};
use perennial_wire::clientpay::payment;

use super::fill::{self, Entered, Problems};
use super::{HtmlResponse, PageRequest, token, view};
use crate::form::Form;
use crate::store::clientpay::payer::StoredMethod;

impl PageRequest<'_> {
    pub(super) fn save_methods(
        &self,
        page: &PayerPage,
        form: Option<&Form>,
    ) -> rusqlite::Result<HtmlResponse> {
        // One that was made here a moment ago, or the one that the page is for: unless it was deleted since.
        let requested = page.fields().payer_id.map(PayerId::as_str);
        let payer = match self.page.payer.as_deref().or(requested) {
            Some(id) if self.session.has_payer(id)? => PayerId::try_from(id).ok(),
            _ => None,
        };
        let methods = match &payer {
            Some(payer) => self.session.methods_of(payer.as_str())?,
            None => Vec::new(),
        };
        let Some(form) = form else {
            return self.offer(page, payer.as_ref(), &methods, &Form::default(), &Problems::default(), None);
        };
        let mut problems = Problems::default();
        let new = match payer {
            Some(_) => None,
            None => new_payer(form, page, &mut problems),
        };
        let updates = Self::updates(page, form, &methods, &mut problems);
        let entered = match form.text("method") {
            "card" | "echeck" => fill::entered(form, self.any_card, &mut problems),
            "none" if !methods.is_empty() => None,
            _ => {
                problems.add("method", "Choose a way to pay.");
                None
            }
        };
        if !problems.is_empty() {
            return self.offer(page, payer.as_ref(), &methods, form, &problems, None);
        }
        let id = match (payer, new) {
            (Some(payer), _) => payer,
            (None, Some(new)) => {
                let id = self.session.create_payer(&new)?;
                self.session.note_payer(&self.page.request_id, id.as_str())?;
                id
            }
            (None, None) => return self.offer(page, None, &methods, form, &problems, Some("Say who pays.")),
        };
        for (method, update) in updates {
            self.session.update_method(method, &update)?;
        }
        if let Some(Entered { method, charged }) = entered {
            self.session.add_method(&id, &method, charged.trigger.as_ref())?;
        }
        if form.text("then") == "more" && may_add_more(page) {
            return Ok(self.see());
        }
        self.session.end_page(&self.page.request_id, &PageStatus::COMPLETED)?;
        self.write_payer_postback(&id)?;
        Ok(self.see())
    }

    fn offer(
        &self,
        page: &PayerPage,
        payer: Option<&PayerId>,
        methods: &[StoredMethod],
        form: &Form,
        problems: &Problems,
        message: Option<&str>,
    ) -> rusqlite::Result<HtmlResponse> {
        let PayerPageFields { hide_payer_name_panel, page_options, .. } = page.fields();
        let hides_name = hide_payer_name_panel.is_none_or(|flag| flag.0);
        let name = match payer {
            Some(payer) if !hides_name => self.session.payer_name(payer.as_str())?,
            _ => None,
        };
        let footer = page_options.and_then(|options| options.fields().footer_text).map(Text::as_str);
        let content = view::save_methods(&view::SaveMethods {
            name: name.as_deref(),
            is_new: payer.is_none(),
            methods,
            may_edit: may_edit(page),
            may_add_more: may_add_more(page),
            form: &form.without_cards(),
            problems,
            message,
            token: &token(self.session.seed, &self.page.request_id),
            footer,
        });
        let is_right = problems.is_empty() && message.is_none();
        let status = if is_right { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        Ok(self.render(status, &content))
    }

    /// Changes to stored methods, if the page allows changes.
    fn updates<'k>(
        page: &PayerPage,
        form: &Form,
        methods: &'k [StoredMethod],
        problems: &mut Problems,
    ) -> Vec<(&'k StoredMethod, MethodUpdate)> {
        if !may_edit(page) {
            return Vec::new();
        }
        let mut updates = Vec::new();
        for (at, method) in methods.iter().enumerate() {
            let mut update = MethodUpdate::builder().id(&method.id);
            let mut changes = false;
            let name = form.given(&format!("name-{at}"));
            if let Some(name) = name.filter(|name| method.name.as_ref() != Some(name)) {
                changes = true;
                update = match method.expiry {
                    Some(_) => update.cardholder_name(name),
                    None => update.name_on_account(name),
                };
            }
            let field = format!("expiry-{at}");
            if let (Some(stored), Some(entered)) = (method.expiry, form.given(&field)) {
                match Expiry::try_from(entered.replace(['/', ' '], "").as_str()) {
                    Ok(expiry) if expiry != stored => {
                        changes = true;
                        update = update.expiration_date(expiry);
                    }
                    Ok(_) => {}
                    Err(_) => problems.add(&field, "Enter the month and year on the card, as in 09/30."),
                }
            }
            if !method.is_primary && form.text("primary") == method.id.as_str() {
                changes = true;
                update = update.is_primary(true);
            }
            if changes {
                match update.build() {
                    Ok(update) => updates.push((method, update)),
                    Err(_) => problems.add("method", "Check what you changed."),
                }
            }
        }
        updates
    }

    fn write_payer_postback(&self, payer: &PayerId) -> rusqlite::Result<()> {
        let Some(url) = self.document.return_address() else { return Ok(()) };
        let [session_id, customer_ref] = self.document.references();
        let methods = self.session.methods_of(payer.as_str())?;
        let postback = Postback::Payer(SavedPayer {
            request_id: UsedRequestId::try_from(self.page.request_id.as_str()).ok(),
            session_id: session_id.map(str::to_owned),
            customer_ref_number: customer_ref.map(str::to_owned),
            payer_id: Some(payer.clone()),
            payment_method_ids: methods.into_iter().map(|method| method.id).collect(),
        });
        let body = payment::encode_postback(&postback);
        self.session.write_postback(&self.page.request_id, "payer", &String::from_utf8_lossy(&body), url)
    }
}

fn may_edit(page: &PayerPage) -> bool {
    page.fields().allow_edits_to_existing_methods.is_none_or(|flag| flag.0)
}

fn may_add_more(page: &PayerPage) -> bool {
    page.fields().accept_multiple_methods.is_none_or(|flag| flag.0)
}

fn new_payer(form: &Form, page: &PayerPage, problems: &mut Problems) -> Option<NewPayer> {
    let mut payer = NewPayer::builder().emails(form.text("email"));
    let PayerPageFields { session_id, customer_id, .. } = page.fields();
    if let Some(session_id) = session_id {
        payer = payer.session_id(session_id.as_str());
    }
    if let Some(customer_id) = customer_id {
        payer = payer.customer_id(customer_id.as_str());
    }
    for (field, value) in ["first-name", "last-name", "business-name"].map(|field| (field, form.given(field)))
    {
        let Some(value) = value else { continue };
        payer = match field {
            "first-name" => payer.first_name(value),
            "last-name" => payer.last_name(value),
            _ => payer.business_name(value),
        };
    }
    if !form.text("email").contains('@') {
        problems.add("email", "Enter an email address.");
    }
    let payer = payer.build();
    if payer.as_ref().is_err_and(|wrong| wrong.iter().any(|violation| violation.field != "emails")) {
        problems.add("first-name", "Enter a name or a business.");
    }
    payer.ok().filter(|_| problems.is_empty())
}
