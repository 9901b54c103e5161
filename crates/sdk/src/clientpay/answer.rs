//! Opens what came back from a call: a value, a definite no, or an outcome that nobody knows.

use http::response::Parts;
use perennial_domain::clientpay::AccessId;
use perennial_transport::{CallError, Redactor, Replay, redact};
use perennial_wire::clientpay::{FieldError, Reply, Route};
use perennial_wire::{DecodeError, Limits};

use crate::error::GatewayMessage;
use crate::response::About;
use crate::sent::{kind_of, unanswered};
use crate::{Error, ErrorKind, Response};

/// How the answer of an operation is read.
pub(super) type Decode<T> = fn(&[u8], &Limits) -> Result<Reply<T>, DecodeError>;

/// One call, as far as its answer needs it.
pub(super) struct Asked<'a, T> {
    pub(super) route: Route,
    pub(super) replay: Replay,
    pub(super) decode: Decode<T>,
    pub(super) redactor: &'a Redactor,
    pub(super) access_id: Option<&'a AccessId>,
}

/// An answer that could be read, or whose status is a definite no.
pub(super) struct Answered<T> {
    route: Route,
    value: Option<T>,
    /// Why it brings no value, if it does not.
    failed: Option<ErrorKind>,
    said: GatewayMessage,
    refuses_access: bool,
    doubt: bool,
    about: About,
}

#[derive(Debug, thiserror::Error)]
#[error("the answer does not say what became of the request")]
struct Unsaid;

impl<T> Asked<'_, T> {
    /// The answer, unless there is none.
    pub(super) fn open(
        self,
        sent: Result<perennial_transport::Answer, CallError>,
    ) -> Result<Answered<T>, Error> {
        let operation = self.route.operation();
        let (response, attempts, doubt) = match sent {
            Ok(answer) => {
                let (attempts, doubt) = (answer.attempts(), answer.after_unknown());
                (answer.into_response(), attempts, doubt)
            }
            Err(error) => {
                let (next, attempts, delivery) = (error.next(), error.attempts(), error.delivery());
                let unanswered = |cause| unanswered(operation, next, attempts, delivery, cause);
                (error.into_cause().map_err(unanswered)?, attempts, true)
            }
        };
        let (Parts { status, headers, .. }, body) = response.into_parts();
        let mut about = About {
            operation,
            status: status.as_u16(),
            headers,
            exchange_id: None,
            links: Vec::new(),
            page: None,
            unreadable: Vec::new(),
            payload_type: None,
            attempts,
        };
        // A refusal after an attempt that was lost may be one of the repeat alone: whoever knows the id looks.
        let kind = kind_of(self.replay, status, doubt && self.replay != Replay::WithKey);
        let Reply { success, message, errors, value, unreadable } =
            match (self.decode)(&body, &Limits::default()) {
                Ok(Reply { success, message, errors, value, unreadable }) => {
                    Reply { success, message, errors, value: Some(value), unreadable }
                }
                Err(error) if status.is_success() => {
                    let kind = match self.replay {
                        Replay::Safe => ErrorKind::Unreadable,
                        _ => ErrorKind::OutcomeUnknown,
                    };
                    return Err(about.into_error(kind, operation).with_source(error));
                }
                Err(_) => Reply::default(),
            };
        about.unreadable = unreadable;
        let failed = (!status.is_success() || success == Some(false)).then_some(kind);
        if let Some(kind) = failed
            && !is_definite(kind)
        {
            return Err(about.into_error(kind, operation).with_source(self.masked(message, &errors)));
        }
        // An id that was used was used by this request: it was performed, by whatever brought it there twice.
        let is_used = failed.is_some()
            && self.replay == Replay::WithKey
            && names("requestid", message.as_deref(), &errors);
        Ok(Answered {
            route: self.route,
            refuses_access: failed.is_some() && refuses_access(status.as_u16(), message.as_deref(), &errors),
            said: self.masked(message, &errors),
            value,
            failed,
            doubt: doubt || is_used,
            about,
        })
    }

    /// The gateway's message with those about fields behind it that it does not have in it.
    fn masked(&self, message: Option<String>, errors: &[FieldError]) -> GatewayMessage {
        let about = |FieldError { field, message }: &FieldError| {
            let parts: Vec<&str> = [field, message].into_iter().flatten().map(String::as_str).collect();
            parts.join(": ")
        };
        let is_new = |about: &String| !message.as_ref().is_some_and(|message| message.contains(about));
        let errors: Vec<String> = errors.iter().map(about).filter(is_new).collect();
        let text = match (message, errors.is_empty()) {
            (message, true) => message,
            (Some(message), false) => Some(format!("{message} ({})", errors.join("; "))),
            (None, false) => Some(errors.join("; ")),
        };
        let mask = |text: String| match self.access_id {
            Some(id) => self.redactor.text(&text.replace(id.expose(), redact::MASK)),
            None => self.redactor.text(&text),
        };
        GatewayMessage { message: text.map(mask), result_code: None }
    }
}

/// Whether a kind is the gateway's own no.
fn is_definite(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Refused | ErrorKind::Unauthorized | ErrorKind::NotFound)
}

/// Whether the access id is what was refused. That it is by 401 is **inferred**; where it is not, the gateway's words
/// should name it. A 403 refuses what a good id may not do.
fn refuses_access(status: u16, message: Option<&str>, errors: &[FieldError]) -> bool {
    match status {
        401 => true,
        403 => false,
        _ => names("accessid", message, errors),
    }
}

/// Whether a refusal speaks of this, however it spells it.
fn names(what: &str, message: Option<&str>, errors: &[FieldError]) -> bool {
    let names_it = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
        letters.collect::<String>().contains(what)
    };
    let texts = errors.iter().flat_map(|error| [error.field.as_deref(), error.message.as_deref()]).flatten();
    message.into_iter().chain(texts).any(names_it)
}

impl<T> Answered<T> {
    /// Whether another access id is needed.
    pub(super) fn refuses_access(&self) -> bool {
        self.refuses_access
    }

    /// Whether an attempt before this one may have been performed.
    pub(super) fn in_doubt(&self) -> bool {
        self.doubt
    }

    /// The same answer to a call of which an earlier attempt may have been performed.
    pub(super) fn or_in_doubt(self, doubt: bool) -> Self {
        Self { doubt: self.doubt || doubt, ..self }
    }

    /// Why there is no value, if there is none.
    pub(super) fn failed(&self) -> Option<ErrorKind> {
        self.failed
    }

    pub(super) fn status(&self) -> u16 {
        self.about.status
    }

    pub(super) fn attempts(&self) -> u32 {
        self.about.attempts
    }

    /// The value that is made of an answer, which may be a refusal; `None` where it does not say enough.
    pub(super) fn take<V>(
        self,
        take: impl FnOnce(T, Option<ErrorKind>) -> Option<V>,
    ) -> Result<Response<V>, Error> {
        let Self { route, value, failed, said, about, .. } = self;
        match (value.and_then(|value| take(value, failed)), failed) {
            (Some(value), _) => Ok(Response::new(value, about)),
            (None, Some(kind)) => Err(about.into_error(kind, route.operation()).with_source(said)),
            (None, None) => {
                Err(about.into_error(ErrorKind::OutcomeUnknown, route.operation()).with_source(Unsaid))
            }
        }
    }

    /// The value of an answer to a read.
    pub(super) fn read<V>(self, take: impl FnOnce(T) -> Option<V>) -> Result<Response<V>, Error> {
        let read = self.take(|value, failed| if failed.is_none() { take(value) } else { None });
        read.map_err(|error| match error.kind() {
            ErrorKind::OutcomeUnknown => error.of_kind(ErrorKind::Unreadable),
            _ => error,
        })
    }
}
