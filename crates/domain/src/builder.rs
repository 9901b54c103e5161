//! The macro behind every request object, and the name of the builder that it declares.

use crate::Violations;

/// A request object, created by a builder.
pub trait Request: Sized {
    /// The type that [`Builder`] names for this request.
    type Builder: TryInto<Self, Error = Violations>;
}

/// The builder of a request: `Builder<NewPlan>` is what `NewPlan::builder()` returns.
///
/// ```
/// use perennial_domain::{Builder, Violations, clearent::NewCustomer};
///
/// fn named(customer: Builder<NewCustomer>) -> Builder<NewCustomer> {
///     customer.first_name("Ada").last_name("Byron")
/// }
///
/// let ada: Result<NewCustomer, Violations> = named(NewCustomer::builder().phone("555-0100")).build();
/// assert!(ada.is_ok());
/// ```
pub type Builder<T> = <T as Request>::Builder;

/// Declares a request as a table of its fields, each with its documented name.
///
/// `required` fields must be present. `documented` fields are required by the vendor's page, but the gateway accepts
/// requests without them: `build` requires them, and `accept` (the gateway's reading) does not. `nested` fields are
/// request objects, and `each` fields are lists of request objects with at least one element. `check` runs in both
/// functions, `strictly` only in `build`. A `derived` value is computed from the fields; if it cannot be computed,
/// there is no request.
///
/// A request without card data derives `Clone`, `PartialEq` and `Eq` in its table. The types of card and account data
/// implement none of these, so a request that contains them cannot derive them.
macro_rules! request {
    (
        $(#[$meta:meta])*
        pub struct $Request:ident, $Fields:ident, $Builder:ident { $($table:tt)* }
        $($rules:tt)*
    ) => {
        $crate::builder::unlisted_request! {
            $(#[$meta])*
            pub struct $Request, $Fields, $Builder { $($table)* }
            $($rules)*
        }

        impl $Request {
            /// The table of the request's fields.
            pub const FIELDS: &'static [$crate::field::Field] = $crate::builder::fields! { $($table)* };
        }
    };
}

/// Declares a request whose fields do not map one to one to the members of its message. It lists no fields.
macro_rules! unlisted_request {
    (
        $(#[$meta:meta])*
        pub struct $Request:ident, $Fields:ident, $Builder:ident {
            $( required { $( $(#[$required_meta:meta])* $required:ident: $Required:ty = $required_name:literal, )* } )?
            $( documented { $( $(#[$documented_meta:meta])* $documented:ident: $Documented:ty = $documented_name:literal, )* } )?
            $( optional { $( $(#[$optional_meta:meta])* $optional:ident: $Optional:ty = $optional_name:literal, )* } )?
            $( nested { $( $(#[$nested_meta:meta])* $nested:ident: $Nested:ty = $nested_name:literal, )* } )?
            $( each { $( $(#[$item_meta:meta])* $item:ident of $items:ident: $Item:ty = $items_name:literal, )* } )?
        }
        $( derived $derived:ident: $Derived:ty = $derive:expr; )?
        $( check $check:expr; )?
        $( strictly $strict:expr; )?
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        #[allow(clippy::struct_field_names, reason = "the wire names them")]
        pub struct $Request {
            $($( $required: $Required, )*)?
            $($( $documented: Option<$Documented>, )*)?
            $($( $optional: Option<$Optional>, )*)?
            $($( $nested: Option<$Nested>, )*)?
            $($( $items: Vec<$Item>, )*)?
            $( $derived: $Derived, )?
        }

        #[doc(hidden)]
        #[doc = concat!("The fields of a [`", stringify!($Request), "`], borrowed; made to be destructured whole.")]
        #[derive(Debug)]
        #[allow(clippy::struct_field_names, reason = "the wire names them")]
        pub struct $Fields<'a> {
            $($( pub $required: &'a $Required, )*)?
            $($( pub $documented: Option<&'a $Documented>, )*)?
            $($( pub $optional: Option<&'a $Optional>, )*)?
            $($( pub $nested: Option<&'a $Nested>, )*)?
            $($( pub $items: &'a [$Item], )*)?
        }

        impl $Request {
            /// Creates an empty builder. Its methods accept finished values or text.
            pub fn builder() -> $Builder {
                <$Builder as Default>::default()
            }

            /// The fields of the request.
            #[doc(hidden)]
            pub fn fields(&self) -> $Fields<'_> {
                $Fields {
                    $($( $required: &self.$required, )*)?
                    $($( $documented: self.$documented.as_ref(), )*)?
                    $($( $optional: self.$optional.as_ref(), )*)?
                    $($( $nested: self.$nested.as_ref(), )*)?
                    $($( $items: &self.$items, )*)?
                }
            }
        }

        #[doc = concat!("Collects the fields of a [`", stringify!($Request), "`] and everything wrong with them.")]
        #[derive(Debug, Default)]
        #[allow(clippy::struct_field_names, reason = "the wire names them")]
        #[must_use = "nothing exists until `build` is called"]
        pub struct $Builder {
            violations: $crate::Violations,
            $($( $required: Option<$Required>, )*)?
            $($( $documented: Option<$Documented>, )*)?
            $($( $optional: Option<$Optional>, )*)?
            $($( $nested: Option<$Nested>, )*)?
            // A refused item keeps its place, so that the index of the next item is right.
            $($( $items: Vec<Option<$Item>>, )*)?
        }

        impl $Builder {
            $crate::builder::setters! {
                $($( $(#[$required_meta])* $required: $Required = $required_name; )*)?
                $($( $(#[$documented_meta])* $documented: $Documented = $documented_name; )*)?
                $($( $(#[$optional_meta])* $optional: $Optional = $optional_name; )*)?
            }
            $($(
                $(#[$nested_meta])*
                pub fn $nested<V>(mut self, value: V) -> Self
                where
                    V: TryInto<$Nested>,
                    V::Error: Into<$crate::Violations>,
                {
                    match value.try_into() {
                        Ok(value) => self.$nested = Some(value),
                        Err(violations) => self.violations.nest($nested_name, violations.into()),
                    }
                    self
                }
            )*)?

            $($(
                $(#[$item_meta])*
                pub fn $item<V>(mut self, value: V) -> Self
                where
                    V: TryInto<$Item>,
                    V::Error: Into<$crate::Violations>,
                {
                    let refused = |violations: V::Error| {
                        self.violations.nest(&format!("{}[{}]", $items_name, self.$items.len()), violations.into());
                    };
                    let item = value.try_into().map_err(refused).ok();
                    self.$items.push(item);
                    self
                }
            )*)?

            #[allow(dead_code, reason = "only updates ask")]
            fn changes_nothing(&self) -> bool {
                let unset: &[bool] = &[
                    $($( self.$documented.is_none(), )*)?
                    $($( self.$optional.is_none(), )*)?
                    $($( self.$nested.is_none(), )*)?
                ];
                !unset.contains(&false)
            }

            /// Builds the request by the rules of the vendor's page, or returns all its violations.
            pub fn build(self) -> Result<$Request, $crate::Violations> {
                #[allow(unused_mut, reason = "not every request has documented fields")]
                let mut this = self;
                $($( this.violations.require($documented_name, this.$documented.as_ref()); )*)?
                $(
                    let strict: fn(&$Builder, &mut $crate::Violations) = $strict;
                    let mut violations = std::mem::take(&mut this.violations);
                    strict(&this, &mut violations);
                    this.violations = violations;
                )?
                this.accept()
            }

            /// Builds the request by the rules of the live gateway, which accepts it without the `documented` fields.
            #[doc(hidden)]
            pub fn accept(self) -> Result<$Request, $crate::Violations> {
                #[allow(unused_mut, reason = "not every request has required fields")]
                let mut this = self;
                $($( this.violations.require($required_name, this.$required.as_ref()); )*)?
                $($( this.violations.require($items_name, this.$items.first()); )*)?
                $(
                    let check: fn(&$Builder, &mut $crate::Violations) = $check;
                    let mut violations = std::mem::take(&mut this.violations);
                    check(&this, &mut violations);
                    this.violations = violations;
                )?
                $(
                    let derive: fn(&$Builder, &mut $crate::Violations) -> Option<$Derived> = $derive;
                    let mut violations = std::mem::take(&mut this.violations);
                    let $derived = derive(&this, &mut violations);
                    this.violations = violations;
                )?
                match ($($( this.$required, )*)? $( $derived, )?) {
                    ($($( Some($required), )*)? $( Some($derived), )?) if this.violations.is_empty() => Ok($Request {
                        $($( $required, )*)?
                        $($( $documented: this.$documented, )*)?
                        $($( $optional: this.$optional, )*)?
                        $($( $nested: this.$nested, )*)?
                        $($( $items: this.$items.into_iter().flatten().collect(), )*)?
                        $( $derived, )?
                    }),
                    #[allow(unreachable_patterns, reason = "not every request has required fields")]
                    _ => Err(this.violations),
                }
            }
        }

        impl $crate::builder::Request for $Request {
            type Builder = $Builder;
        }

        impl TryFrom<$Builder> for $Request {
            type Error = $crate::Violations;

            fn try_from(builder: $Builder) -> Result<Self, Self::Error> {
                builder.build()
            }
        }
    };
}

macro_rules! fields {
    (
        $( required { $( $(#[$required_meta:meta])* $required:ident: $Required:ty = $required_name:literal, )* } )?
        $( documented { $( $(#[$documented_meta:meta])* $documented:ident: $Documented:ty = $documented_name:literal, )* } )?
        $( optional { $( $(#[$optional_meta:meta])* $optional:ident: $Optional:ty = $optional_name:literal, )* } )?
        $( nested { $( $(#[$nested_meta:meta])* $nested:ident: $Nested:ty = $nested_name:literal, )* } )?
    ) => {
        &[
            $($( $crate::builder::field!($required_name: $Required, Required), )*)?
            $($( $crate::builder::field!($documented_name: $Documented, Documented), )*)?
            $($( $crate::builder::field!($optional_name: $Optional, Optional), )*)?
            $($( $crate::builder::field!($nested_name: $Nested, Optional), )*)?
        ]
    };
}

macro_rules! field {
    ($name:literal: $Value:ty, $Need:ident) => {
        $crate::field::Field {
            name: $name,
            need: $crate::field::Need::$Need,
            kind: <$Value as $crate::field::Described>::KIND,
        }
    };
}

macro_rules! setters {
    ($( $(#[$meta:meta])* $field:ident: $Value:ty = $name:literal; )*) => {
        $(
            $(#[$meta])*
            pub fn $field<V>(mut self, value: V) -> Self
            where
                V: TryInto<$Value>,
                V::Error: Into<$crate::InvalidValue>,
            {
                self.$field = self.violations.read($name, value);
                self
            }
        )*
    };
}

pub(crate) use {field, fields, request, setters, unlisted_request};
