//! Options of addresses: `--billing-city`, `--payer-zip-code`.

use perennial::Builder;
use perennial::clientpay::Address;

macro_rules! address {
    ($Options:ident, $prefix:literal, $heading:literal) => {
        object! {
            #[command(next_help_heading = $heading)]
            $Options fills Builder<Address> {
                /// The street
                address_line1 = concat!($prefix, "-address-line1"), "TEXT";
                /// The city
                city = concat!($prefix, "-city"), "TEXT";
                /// The two-letter code of the state or province
                state = concat!($prefix, "-state"), "CODE";
                /// The postal code
                zip_code = concat!($prefix, "-zip-code"), "TEXT";
                /// The phone number
                phone_number = concat!($prefix, "-phone-number"), "TEXT";
                /// The country
                country = concat!($prefix, "-country"), "TEXT";
            }
        }

        impl $Options {
            pub(super) fn address(&self) -> Option<Builder<Address>> {
                self.object()
            }
        }
    };
}

address!(BillingAddress, "billing", "Billing address");
address!(PayerAddress, "payer", "Payer's address");
