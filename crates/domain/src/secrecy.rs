//! What a secret must not be able to do, as programs that must not compile.

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
            // The same program compiles for a trait that all have, so no misspelled path passes for a refusal.
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
    "CardNumber": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "SecurityCode": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "Secret": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clearent::ApiKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::IntegratorKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::AccountKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::AccountPin": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::CustomerKey": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::CustomerPin": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::Credentials": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::AccessId": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::RequestId": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::AccountNumber": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::NewPayment": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clientpay::NewMethod": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clearent::NewToken": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
    "clearent::ChargeSource": "Clone" "std::fmt::Display" "PartialEq" "std::hash::Hash";
}
