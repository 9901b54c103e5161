use super::UsedRequestId;
use super::address::Address;
use super::code::code;
use super::method::{MethodUpdate, NewMethod, PaymentMethodId};
use crate::{InvalidValue, Rule, Text, builder::unlisted_request as request, key::key};

key! {
    /// The id of a payer, a GUID.
    pub struct PayerId;
}

code! {
    /// The way in which a payer's name is shown. The vendor's table has the numbers, its sample has the word
    /// `firstLast`. The word is sent for the first variant, and numbers for the others.
    pub enum PayerName one of "1 (firstLast), 2 (business), 3 (both)" {
        /// The first and the last name.
        FirstLast = 1 | "firstLast",
        /// The business's name.
        Business = 2,
        /// Both names.
        FirstLastBusiness = 3,
    }
}

/// One or more email addresses, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emails(Vec<Text>);

impl Emails {
    /// Creates the list from at least one address.
    pub fn read<'a>(emails: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidValue> {
        let emails = emails.into_iter().map(Text::try_from).collect::<Result<Vec<_>, _>>()?;
        if emails.is_empty() { Err(Rule::Required.into()) } else { Ok(Self(emails)) }
    }

    /// The addresses.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(Text::as_str)
    }
}

impl TryFrom<&str> for Emails {
    type Error = InvalidValue;

    fn try_from(email: &str) -> Result<Self, Self::Error> {
        Self::read([email])
    }
}

impl<const N: usize> TryFrom<[&str; N]> for Emails {
    type Error = InvalidValue;

    fn try_from(emails: [&str; N]) -> Result<Self, Self::Error> {
        Self::read(emails)
    }
}

impl TryFrom<&[String]> for Emails {
    type Error = InvalidValue;

    fn try_from(emails: &[String]) -> Result<Self, Self::Error> {
        Self::read(emails.iter().map(String::as_str))
    }
}

request! {
    /// A request to store a payer (payer object).
    ///
    /// ```
    /// use perennial_domain::clientpay::NewPayer;
    ///
    /// assert!(NewPayer::builder().business_name("Harbor Tile LLC").emails("rosa@example.test").build().is_ok());
    /// assert_eq!(
    ///     NewPayer::builder().build().unwrap_err().to_string(),
    ///     "emails: is required; firstName: is required unless lastName or businessName is given",
    /// );
    /// ```
    #[derive(Clone, PartialEq, Eq)]
    pub struct NewPayer, NewPayerFields, NewPayerBuilder {
        required {
            /// The email addresses; one or more.
            emails: Emails = "emails",
        }
        optional {
            /// Your own reference, kept with the payer.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
            /// The first name; one of the three names must be given.
            first_name: Text = "firstName",
            /// The last name.
            last_name: Text = "lastName",
            /// The business's name.
            business_name: Text = "businessName",
            /// The way in which the payer's name is shown.
            payer_name: PayerName = "payerName",
        }
        nested {
            /// The address.
            payer_address: Address = "payerAddress",
        }
    }
    check |payer, violations| {
        let names = [&payer.first_name, &payer.last_name, &payer.business_name];
        let refused = ["firstName", "lastName", "businessName"].iter().any(|name| violations.names(name));
        if names.iter().all(|name| name.is_none()) && !refused {
            violations.add("firstName", Rule::RequiredUnless("lastName or businessName"));
        }
    };
}

request! {
    /// An update of a payer with at least one field (update payer page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct PayerUpdate, PayerUpdateFields, PayerUpdateBuilder {
        required {
            /// The payer; required.
            payer_id: PayerId = "payerId",
        }
        optional {
            /// Your own reference, kept with the payer.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
            /// The new first name.
            first_name: Text = "firstName",
            /// The new last name.
            last_name: Text = "lastName",
            /// The new name of the business.
            business_name: Text = "businessName",
            /// The way in which the payer's name is shown.
            payer_name: PayerName = "payerName",
            /// The new email addresses, which replace all the old ones.
            emails: Emails = "emails",
        }
        nested {
            /// The new address.
            payer_address: Address = "payerAddress",
        }
    }
    check |update, violations| {
        if violations.is_empty() && update.changes_nothing() {
            violations.add("payer", Rule::NothingToUpdate);
        }
    };
}

request! {
    /// A request to store methods with a payer (new payment method page).
    pub struct NewMethods, NewMethodsFields, NewMethodsBuilder {
        required {
            /// The payer; required.
            payer_id: PayerId = "payerId",
        }
        optional {
            /// Your own reference.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
        }
        each {
            /// A method; at least one.
            method of methods: NewMethod = "paymentMethods",
        }
    }
}

request! {
    /// A request to update stored methods (update payment method page).
    #[derive(Clone, PartialEq, Eq)]
    pub struct MethodUpdates, MethodUpdatesFields, MethodUpdatesBuilder {
        optional {
            /// Your own reference.
            session_id: Text = "sessionId",
            /// A second reference.
            customer_id: Text = "customerId",
        }
        each {
            /// A change; at least one.
            update of updates: MethodUpdate = "paymentMethods",
        }
    }
}

/// The response to storing a payer and methods. That a payer's id is returned is attested; the members' names are
/// **inferred**.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default))]
pub struct SavedPayer {
    /// The id of the request, in a postback of a payer page.
    pub request_id: Option<UsedRequestId>,
    /// Your own reference, in a postback.
    pub session_id: Option<String>,
    /// The second reference, in a postback.
    pub customer_ref_number: Option<String>,
    /// The id of the payer.
    pub payer_id: Option<PayerId>,
    /// The methods, in the order of the request.
    pub payment_method_ids: Vec<PaymentMethodId>,
}
