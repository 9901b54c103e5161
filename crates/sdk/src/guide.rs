#![doc = include_str!("guide/README.md")]

macro_rules! chapters {
    ($($name:ident $file:literal;)*) => {$(
        #[doc = include_str!(concat!("guide/", $file))]
        pub mod $name {}
    )*};
}

chapters! {
    clientpay "clientpay.md";
    concepts "concepts.md";
    connecting "connecting.md";
    customers "customers.md";
    errors "errors.md";
    evidence "evidence.md";
    faq "faq.md";
    getting_started "getting-started.md";
    going_live "going-live.md";
    invoices "invoices.md";
    money_safety "money-safety.md";
    payments "payments.md";
    plans "plans.md";
    security "security.md";
    testing "testing.md";
    tokens "tokens.md";
    transactions "transactions.md";
}
