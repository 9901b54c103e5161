//! The account of a command: its credentials, from the environment or a file, never an argument.

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use perennial::clientpay::{Credentials, CustomerCredentials, Version};
use perennial::encoding::without_mark;
use perennial::transport::Exchange;
use perennial::{ClientPay, Violations};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::context::Global;
use crate::failure::Failure;
use crate::input;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "ClientPay options")]
pub(crate) struct Account {
    /// A file that holds the credentials, as JSON {"integratorKey":"…","accountKey":"…","accountPin":"…"}, instead of
    /// the environment
    #[arg(long, global = true, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// The version of the API; 1.0 has no payers, refunds or search
    #[arg(long, global = true, value_name = "VERSION", default_value = "2.0",
        value_parser = PossibleValuesParser::new(["2.0", "1.0"]).try_map(|name| name.parse::<Version>()))]
    api_version: Version,
}

/// A credential: its member in a file, and its variable.
type Name = (&'static str, &'static str);

const INTEGRATOR_KEY: Name = ("integratorKey", "PERENNIAL_CLIENTPAY_INTEGRATOR_KEY");
const ACCOUNT_KEY: Name = ("accountKey", "PERENNIAL_CLIENTPAY_ACCOUNT_KEY");
const ACCOUNT_PIN: Name = ("accountPin", "PERENNIAL_CLIENTPAY_ACCOUNT_PIN");
const CUSTOMER_KEY: Name = ("customerKey", "PERENNIAL_CLIENTPAY_CUSTOMER_KEY");
const CUSTOMER_PIN: Name = ("customerPin", "PERENNIAL_CLIENTPAY_CUSTOMER_PIN");

/// The file, borrowed, so that no unwiped copy is made. The output of `perennial sandbox world` has this form too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    #[serde(alias = "integrator-key")]
    integrator_key: Option<&'a str>,
    #[serde(alias = "account-key")]
    account_key: Option<&'a str>,
    #[serde(alias = "account-pin")]
    account_pin: Option<&'a str>,
    customer_key: Option<&'a str>,
    customer_pin: Option<&'a str>,
}

impl Account {
    /// Creates the client of the account.
    pub(crate) fn client(&self, global: &Global, exchange: Arc<dyn Exchange>) -> Result<ClientPay, Failure> {
        let credentials =
            self.read([INTEGRATOR_KEY, ACCOUNT_KEY, ACCOUNT_PIN], |[integrator, account, pin]| {
                Credentials::builder()
                    .integrator_key(integrator)
                    .account_key(account)
                    .account_pin(pin)
                    .build()
            })?;
        let client = ClientPay::builder(credentials)
            .environment(global.environment()?)
            .version(self.api_version)
            .deadline(global.deadline())
            .exchange(exchange)
            .time(global.waits())
            .build()?;
        Ok(client)
    }

    /// The credentials of the customer who owns the account.
    pub(super) fn customer(&self) -> Result<CustomerCredentials, Failure> {
        self.read([INTEGRATOR_KEY, CUSTOMER_KEY, CUSTOMER_PIN], |[integrator, customer, pin]| {
            CustomerCredentials::builder()
                .integrator_key(integrator)
                .customer_key(customer)
                .customer_pin(pin)
                .build()
        })
    }

    fn read<T>(
        &self,
        names: [Name; 3],
        build: impl FnOnce([&str; 3]) -> Result<T, Violations>,
    ) -> Result<T, Failure> {
        let texts = match &self.credentials_file {
            Some(file) => of_file(&input::of_file("credentials", file)?, names)?,
            None => of_environment(names)?,
        };
        let given =
            |&(member, variable): &Name| if self.credentials_file.is_some() { member } else { variable };
        let missing: Vec<&str> = names
            .iter()
            .zip(&texts)
            .filter(|(_, text)| text.is_none())
            .map(|(name, _)| given(name))
            .collect();
        if !missing.is_empty() {
            let missing = missing.join(" and ");
            return Err(Failure::Usage(match &self.credentials_file {
                Some(file) => format!("the credentials file {} lacks {missing}", file.display()),
                None => format!("there are no credentials: set {missing} or pass --credentials-file FILE"),
            }));
        }
        let credentials = build(texts.each_ref().map(|text| text.as_ref().map_or("", |text| text.as_str())));
        Ok(credentials.map_err(|violations| {
            let mut renamed = Violations::default();
            for violation in &violations {
                let name = names.iter().find(|(member, _)| violation.field == *member);
                renamed.add(name.map_or("the credentials", given), violation.rule);
            }
            renamed
        })?)
    }
}

fn of_environment(names: [Name; 3]) -> Result<[Option<Zeroizing<String>>; 3], Failure> {
    let [first, second, third] = names.map(|(_, variable)| input::of_variable(variable));
    Ok([first?, second?, third?])
}

fn of_file(text: &str, names: [Name; 3]) -> Result<[Option<Zeroizing<String>>; 3], Failure> {
    // What serde says of it may repeat some of it.
    let written: Written<'_> = serde_json::from_str(without_mark(text)).map_err(|_| {
        Failure::Usage(
            r#"the credentials file is not {"integratorKey":"…","accountKey":"…","accountPin":"…"}, to which customerKey and customerPin may be added"#
                .to_owned(),
        )
    })?;
    Ok(names.map(|name| {
        let text = match name {
            INTEGRATOR_KEY => written.integrator_key,
            ACCOUNT_KEY => written.account_key,
            ACCOUNT_PIN => written.account_pin,
            CUSTOMER_KEY => written.customer_key,
            CUSTOMER_PIN => written.customer_pin,
            _ => None,
        };
        text.map(|text| Zeroizing::new(text.to_owned()))
    }))
}
