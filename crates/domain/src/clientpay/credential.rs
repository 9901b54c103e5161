use std::fmt;

use crate::{InvalidValue, Rule, Secret, builder::unlisted_request as request, encoding};

/// Declares secrets that merchants paste from the vendor's mail.
macro_rules! credentials {
    ($( $(#[$meta:meta])* $Credential:ident; )*) => {$(
        $(#[$meta])*
        ///
        /// The vendor documents no format, so 1 to 256 visible ASCII characters except quotation marks are accepted.
        /// Whitespace around them and a byte order mark at the very start are removed.
        pub struct $Credential(Secret);

        impl $Credential {
            /// Returns the text, to write it on the wire.
            pub fn expose(&self) -> &str {
                self.0.expose()
            }
        }

        impl TryFrom<&str> for $Credential {
            type Error = InvalidValue;

            fn try_from(pasted: &str) -> Result<Self, Self::Error> {
                read(pasted).map(Self)
            }
        }

        impl TryFrom<String> for $Credential {
            type Error = InvalidValue;

            fn try_from(pasted: String) -> Result<Self, Self::Error> {
                read(&zeroize::Zeroizing::new(pasted)).map(Self)
            }
        }

        impl std::str::FromStr for $Credential {
            type Err = InvalidValue;

            fn from_str(pasted: &str) -> Result<Self, Self::Err> {
                Self::try_from(pasted)
            }
        }

        impl fmt::Debug for $Credential {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($Credential), "(..)"))
            }
        }
    )*};
}

pub(super) use credentials;

/// The maximum number of characters of a credential. The vendor documents no limit; this one is ours.
const LONGEST: usize = 256;

pub(super) fn read(pasted: &str) -> Result<Secret, InvalidValue> {
    let text = encoding::without_mark(pasted).trim_matches([' ', '\t', '\r', '\n']);
    let foreign = |c: char| !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '`');
    match text.chars().position(foreign) {
        Some(index) => Err(Rule::Credential { at: index + 1 }.into()),
        None if text.is_empty() => Err(Rule::Empty.into()),
        None if text.len() > LONGEST => Err(Rule::TooLong { max: LONGEST }.into()),
        None => Ok(Secret::from(text.to_owned())),
    }
}

credentials! {
    /// The key of the integration partner; the same for all its customers.
    IntegratorKey;
    /// The key of one merchant account of a customer.
    AccountKey;
    /// The PIN that belongs to an [`AccountKey`].
    AccountPin;
    /// The key of a customer across all its merchant accounts.
    CustomerKey;
    /// The PIN that belongs to a [`CustomerKey`].
    CustomerPin;
}

request! {
    /// The credentials for an access id of one merchant account (quickstart).
    ///
    /// ```
    /// use perennial_domain::clientpay::Credentials;
    ///
    /// let credentials = Credentials::builder().integrator_key("int-1").account_key("acct-1").account_pin("7731");
    /// assert!(format!("{:?}", credentials.build().unwrap()).contains("AccountPin(..)"));
    ///
    /// let refused = Credentials::builder().integrator_key("int-1").account_key("acct\n1").build().unwrap_err();
    /// assert!(refused.names("accountKey") && refused.names("accountPin"));
    /// ```
    pub struct Credentials, CredentialsFields, CredentialsBuilder {
        required {
            /// The partner's key; required.
            integrator_key: IntegratorKey = "integratorKey",
            /// The merchant account's key; required.
            account_key: AccountKey = "accountKey",
            /// The merchant account's PIN; required.
            account_pin: AccountPin = "accountPin",
        }
    }
}

request! {
    /// The credentials for an access id of a customer with all its merchant accounts.
    pub struct CustomerCredentials, CustomerCredentialsFields, CustomerCredentialsBuilder {
        required {
            /// The partner's key; required.
            integrator_key: IntegratorKey = "integratorKey",
            /// The customer's key; required.
            customer_key: CustomerKey = "customerKey",
            /// The customer's PIN; required.
            customer_pin: CustomerPin = "customerPin",
        }
    }
}
