//! Tests that secrets do not implement certain traits, as programs that must not compile.

macro_rules! lacks {
    ($( $Type:literal: $( $Trait:literal )+; )+) => {
        $(
            $(
                #[doc = concat!(
                    "```compile_fail,E0277\n",
                    "fn needs<T: ", $Trait, ">() {}\n",
                    "needs::<perennial_domain::", $Type, ">();\n",
                    "```\n",
                )]
            )+
            // A nearly equal program must compile with a trait that all types have, so that a misspelled path is not
            // mistaken for a refusal.
            #[doc = concat!(
                "```\n",
                "fn needs<T: std::fmt::Debug>() {}\n",
                "needs::<perennial_domain::", $Type, ">();\n",
                "```\n",
            )]
        )+
        struct Lacks;
    };
}

lacks! {
    "CardNumber": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "SecurityCode": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "Secret": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clearent::ApiKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::IntegratorKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::AccountKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::AccountPin": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::CustomerKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::CustomerPin": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::Credentials": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::AccessId": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::RequestId": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::AccountNumber": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::NewPayment": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::NewMethod": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clearent::NewToken": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
    "clientpay::Card": "Clone" "PartialEq" "serde::Serialize";
    "clientpay::ECheck": "Clone" "PartialEq" "serde::Serialize";
    "clientpay::NewMethods": "Clone" "PartialEq" "serde::Serialize";
    "clientpay::CustomerCredentials": "Clone" "PartialEq" "serde::Serialize";
    "clearent::OneTimeToken": "std::fmt::Display" "serde::Serialize";
    "clearent::MobileJwt": "serde::Serialize";
    "clearent::Charge": "Clone" "PartialEq" "serde::Serialize";
    "clearent::Refund": "Clone" "PartialEq" "serde::Serialize";
    "clearent::ChargeSource": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash" "serde::Serialize";
}
