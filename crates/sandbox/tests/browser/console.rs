//! The console, in the steps of a person who follows a plan.

use perennial_sandbox::Sandbox;

use crate::browser::{self, Browser};

/// Follows a plan: finds it, charges it, makes it fail, and sees it in the log.
///
/// Holds: A browser follows a plan through a decline and a refusal on the pages of the console.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_followed_through_a_decline_and_a_refusal() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = browser::fill(&sandbox).await;
    let browser = Browser::open().await;

    browser.go(&format!("{}/console", sandbox.base_url())).await;
    browser.shot("worlds").await;
    browser.fill_in("input[name=api-key]", sandbox.api_key().expose()).await;
    browser.press("Open").await;
    browser.follow("Plans").await;
    browser.shot("plans").await;
    browser.follow(&world.plan).await;
    assert_eq!(browser.count("li.expected").await, 12);
    let plan = browser.address().await;

    browser.follow("Webhook").await;
    // There is no listener, and the page says so.
    browser.fill_in("input[name=url]", "http://127.0.0.1:1/hook").await;
    browser.press("Set the endpoint").await;
    browser.follow("Overview").await;
    browser.press("+1 month").await;
    browser.go(&plan).await;
    assert_eq!((browser.count("li.approved").await, browser.count("li.expected").await), (1, 11));

    browser.follow("Faults").await;
    browser.choose("select[name=operation]", "transactions.sale").await;
    browser.choose("select[name=kind]", "decline").await;
    // The members of the chosen effect, and no others.
    let visible = [
        browser.is_visible("input[name=result-code]").await,
        browser.is_visible("input[name=delay-ms]").await,
    ];
    assert_eq!(visible, [true, false]);
    browser.fill_in("input[name=result-code]", "000").await;
    browser.press("Set").await;
    assert!(browser.text("p.problem").await.starts_with("effect.result-code: must be a code"));
    browser.fill_in("input[name=result-code]", "012").await;
    browser.press("Set").await;
    browser.shot("faults").await;
    browser.follow("Overview").await;
    browser.press("+1 month").await;
    browser.go(&plan).await;
    let outcomes = ["li.approved", "li.declined", "li.expected"];
    assert_eq!(
        [
            browser.count(outcomes[0]).await,
            browser.count(outcomes[1]).await,
            browser.count(outcomes[2]).await
        ],
        [1, 1, 10]
    );
    browser.shot("plan").await;

    // A call of a program is hit, and the log shows its response.
    assert_eq!(browser::sale(&sandbox).await, 402);
    browser.follow("Requests").await;
    assert_eq!(browser.text("table.log tbody th").await, "402");
    assert_eq!(browser.text("table.log tbody .badge").await, "fault-1");
    browser.open_first("table.log summary").await;
    assert!(browser.text("table.log tbody pre").await.contains(r#""card": "****""#));
    browser.shot("requests").await;
    for page in ["Overview", "Payments", "Transactions", "Batches", "Webhook", "Customers"] {
        browser.follow(page).await;
        browser.shot(&page.to_lowercase()).await;
    }
    browser.open_first(&format!("th a[title={}]", world.customer)).await;
    browser.shot("customer").await;
    // Only about the form that was refused on purpose.
    let complaints = browser.complaints().await;
    assert!(
        complaints.len() == 1 && complaints[0].contains("/faults") && complaints[0].contains("400"),
        "{complaints:?}"
    );
    browser.close().await;
}

/// Checks that no page scrolls sideways on a phone, or needs a mouse.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_phone_in_the_dark_and_by_keyboard() {
    let sandbox = Sandbox::start().await.unwrap();
    let world = browser::fill(&sandbox).await;
    let browser = Browser::open().await;
    browser.go(&format!("{}/console", sandbox.base_url())).await;
    browser.fill_in("input[name=api-key]", sandbox.api_key().expose()).await;
    browser.press("Open").await;
    let overview = browser.address().await;

    // The first tab stop skips the content that all pages share, and the clock is accessible without a mouse.
    let mut reached = Vec::new();
    for _ in 0..20 {
        reached.push(browser.tab().await);
    }
    assert_eq!(reached[0], "Skip to the content");
    assert!(
        ["Plans", "+1 day", "+1 month"].iter().all(|name| reached.iter().any(|at| at == name)),
        "{reached:?}"
    );

    browser.phone().await;
    for page in [
        "",
        "/customers",
        "/plans",
        "/payments",
        "/transactions",
        "/batches",
        "/webhook",
        "/requests",
        "/faults",
    ] {
        browser.go(&format!("{overview}{page}")).await;
        assert_eq!(browser.sideways().await, 0, "{page}");
    }
    browser.go(&format!("{overview}/plans/{}", world.plan)).await;
    assert_eq!(browser.sideways().await, 0);
    browser.shot("plan-phone").await;
    browser.dark().await;
    assert_eq!(browser.background().await, "rgb(20, 23, 26)");
    browser.shot("plan-phone-dark").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}
