//! The rules for writes under a request id, which are sent again only by a decision.

use super::*;

const fn at(second: i64) -> Moment {
    Moment::from_millis(second * 1_000)
}

/// A payment whose first attempt was sent at second 0.
fn sent(write: Write, needs_card: bool) -> Intent {
    let attempt = Attempt { committed: at(0), send_by: at(10), judged: None, exchange_id: None };
    Intent {
        uid: "1".into(),
        tenant: "t".into(),
        key: "k".into(),
        write,
        object: "o".into(),
        request: String::new(),
        fingerprint: String::new(),
        mark: "1".into(),
        is_stop: false,
        needs_card,
        activates: false,
        precondition: None,
        send_before: at(3_600),
        state: State::Sending,
        fence: 0,
        lease_until: None,
        next: None,
        history: History { attempts: vec![attempt], request_id: Some("R-1".into()), ..History::default() },
        outcome: None,
        created: at(0),
    }
}

/// Applies events, each ten minutes after the one before.
fn after(intent: Intent, events: Vec<Event>) -> (Intent, Vec<Command>) {
    let rules = Rules::default();
    events.into_iter().zip(1..).fold((intent, Vec::new()), |(intent, _), (event, number)| {
        let Step { intent, commands } = step(&intent, event, at(number * 600), &rules);
        (intent, commands)
    })
}

fn said(said: Said) -> Event {
    Event::Answered(Answer { said, exchange_id: None })
}

fn turn(has_card: bool) -> Event {
    Event::Turn { is_fresh: false, has_card }
}

fn nothing(number: i64) -> Event {
    Event::Looked(Look::Seen { at: Some(at(number * 600)), control: true, found: Vec::new() })
}

fn seen(id: &str) -> Event {
    let object = Object { id: Some(id.into()), value: None };
    let found = vec![Seen { object, verdict: Verdict::Done }];
    Event::Looked(Look::Seen { at: Some(at(1_200)), control: true, found })
}

fn not_done() -> Event {
    said(Said::NotDone { reason: "not connected".into(), wait: Duration::ZERO, hold: false })
}

/// Holds: A decision to send again is for one attempt; if that is certainly not made, a person decides again.
#[test]
fn a_decision_is_for_one_attempt() {
    let lost = vec![said(Said::Unknown("lost".into())), nothing(2), nothing(3)];
    let (intent, _) = after(sent(Write::Pay, false), lost);
    assert_eq!(intent.state, State::NeedsPerson);
    assert!(intent.history.reason.as_ref().is_some_and(|reason| reason.contains("R-1")));
    let resent = vec![Event::Decide(Decision::Resend), turn(false)];
    let (intent, commands) = after(intent, resent);
    assert_eq!((intent.state, commands), (State::Sending, vec![Command::Send]));
    assert_eq!((intent.history.attempts.len(), intent.history.resend), (2, false));
    let (intent, commands) = after(intent, vec![not_done()]);
    assert_eq!((intent.state, commands), (State::NeedsPerson, Vec::new()));
    assert_eq!(after(intent.clone(), vec![turn(true)]).0.state, State::NeedsPerson);
    assert!(intent.can_be_resent());
}

/// Holds: What was sent once is not called withdrawn when the second attempt does not happen.
#[test]
fn what_may_have_been_done_is_not_withdrawn() {
    let lost = vec![said(Said::Unknown("lost".into())), nothing(2), nothing(3)];
    for needs_card in [false, true] {
        let (intent, _) = after(sent(Write::Pay, needs_card), lost.clone());
        let (intent, _) = after(intent, vec![Event::Decide(Decision::Resend)]);
        assert_eq!(intent.state, if needs_card { State::NeedsCard } else { State::Planned });
        let withdrawn = after(intent.clone(), vec![Event::Withdraw { reason: "no".into() }]).0;
        assert_eq!((withdrawn.state, withdrawn.history.resend), (State::NeedsPerson, false));
        let late = step(&intent, turn(false), at(8 * 86_400), &Rules::default()).intent;
        assert_eq!((late.state, late.history.resend), (State::NeedsPerson, false));
    }
}

/// Holds: A response that names a payment is never followed by another send, and another payment makes them several.
#[test]
fn a_named_payment_is_never_followed_by_another_send() {
    let named = said(Said::Named { reason: "unreadable".into(), ids: vec!["7".into()] });
    for (look, state) in
        [(nothing(3), State::NeedsPerson), (seen("7"), State::Done), (seen("8"), State::NeedsPerson)]
    {
        let (intent, _) = after(sent(Write::Pay, false), vec![named.clone(), nothing(2), look]);
        assert_eq!(intent.state, state);
        if state == State::NeedsPerson {
            assert!(intent.history.reason.as_ref().is_some_and(|reason| reason.contains('7')));
        }
        let (again, commands) = after(intent, vec![Event::Decide(Decision::Resend), turn(true)]);
        assert_eq!((again.state, commands), (state, Vec::new()));
    }
}

/// Holds: In a restored database, what no read can tell is not sent without a person.
#[test]
fn a_restored_intent_that_cannot_be_looked_for_is_a_persons() {
    for (restored, state) in [(None, State::Planned), (Some(at(0)), State::NeedsPerson)] {
        let mut intent = sent(Write::CreatePayer, false);
        intent.state = State::Planned;
        intent.history = History { restored, ..History::default() };
        let look = Event::Looked(Look::Impossible("no search".into()));
        let (intent, _) = after(intent, vec![turn(false), look]);
        assert_eq!(intent.state, state);
        assert!(!intent.can_be_resent(), "its request id is lost");
    }
}

/// Holds: Without a control object, an absence goes to a person after the window, and to another look before.
#[test]
fn an_account_without_payments_has_no_control() {
    let look = |second| Event::Looked(Look::Seen { at: Some(at(second)), control: false, found: Vec::new() });
    let (unknown, _) = after(sent(Write::Pay, false), vec![said(Said::Unknown("lost".into()))]);
    let early = step(&unknown, look(60), at(60), &Rules::default()).intent;
    assert_eq!(early.state, State::Unknown);
    let late = step(&early, look(600), at(600), &Rules::default()).intent;
    assert_eq!(late.state, State::NeedsPerson);
}
