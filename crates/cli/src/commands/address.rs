//! Options of the two addresses: `--billing-city`, `--shipping-zip`.

use perennial::Builder;
use perennial::clearent::Address;

macro_rules! address {
    ($Options:ident, $prefix:literal, $heading:literal) => {
        options! {
            #[command(next_help_heading = $heading)]
            $Options fills Builder<Address> {
                /// The first name of the addressee
                first_name = concat!($prefix, "-first-name"), "TEXT";
                /// The last name of the addressee
                last_name = concat!($prefix, "-last-name"), "TEXT";
                /// The company
                company = concat!($prefix, "-company"), "TEXT";
                /// The first line of the street
                street = concat!($prefix, "-street"), "TEXT";
                /// The second line of the street
                street2 = concat!($prefix, "-street2"), "TEXT";
                /// The city
                city = concat!($prefix, "-city"), "TEXT";
                /// The state, as a code or a name
                state = concat!($prefix, "-state"), "TEXT";
                /// The postal code
                zip = concat!($prefix, "-zip"), "TEXT";
                /// The country's name
                country = concat!($prefix, "-country"), "TEXT";
                /// The phone number
                phone = concat!($prefix, "-phone"), "TEXT";
            }
        }

        impl $Options {
            /// The address, if any part of it is given.
            pub(super) fn address(&self) -> Option<Builder<Address>> {
                let Self {
                    first_name,
                    last_name,
                    company,
                    street,
                    street2,
                    city,
                    state,
                    zip,
                    country,
                    phone,
                } = self;
                let parts =
                    [first_name, last_name, company, street, street2, city, state, zip, country, phone];
                parts.iter().any(|part| part.is_some()).then(|| self.fill(Address::builder()))
            }
        }
    };
}

address!(BillingAddress, "billing", "Billing address");
address!(ShippingAddress, "shipping", "Shipping address");
