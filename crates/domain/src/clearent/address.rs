use crate::{Text, builder::request};

request! {
    /// A billing or shipping address. All fields are optional. In the vendor's examples, `country` is a name ("United
    /// States") and `state` is a code or a name.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Address, AddressFields, AddressBuilder {
        optional {
            /// The addressee's first name.
            first_name: Text = "first-name",
            /// The addressee's last name.
            last_name: Text = "last-name",
            /// The company.
            company: Text = "company",
            /// The first line of the street.
            street: Text = "street",
            /// The second line of the street.
            street2: Text = "street2",
            /// The city.
            city: Text = "city",
            /// The state, as a code or a full name.
            state: Text = "state",
            /// The postal code.
            zip: Text = "zip",
            /// The country's name.
            country: Text = "country",
            /// The phone number.
            phone: Text = "phone",
        }
    }
}
