//! The settings of the terminal: the accepted AVS and CSC results, and duplicate detection.

use perennial_domain::clearent::CheckAnswer;
use perennial_wire::clearent::{Payload, settings};

use super::answer::{Answer, Site};
use super::{Call, Handled, LIMITS, act};
use crate::store::settings::Settings;

pub(super) fn avs(_: &mut Call<'_>) -> Handled {
    act(|session, site| Ok(avs_answer(&session.settings()?, site)))
}

pub(super) fn update_avs(call: &mut Call<'_>) -> Handled {
    let update = settings::read_update_avs(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        let mut settings = session.settings()?;
        settings.avs.change(&update);
        session.set(&settings)?;
        Ok(avs_answer(&settings, site))
    })
}

pub(super) fn csc(_: &mut Call<'_>) -> Handled {
    act(|session, site| Ok(csc_answer(&session.settings()?, site)))
}

pub(super) fn update_csc(call: &mut Call<'_>) -> Handled {
    let update = settings::read_update_csc(call.format, call.body, &LIMITS)?;
    act(move |session, site| {
        let mut settings = session.settings()?;
        settings.csc.change(&update);
        session.set(&settings)?;
        Ok(csc_answer(&settings, site))
    })
}

pub(super) fn duplicates(_: &mut Call<'_>) -> Handled {
    act(|session, _| Ok(duplicates_answer(&session.settings()?)))
}

pub(super) fn update_duplicates(call: &mut Call<'_>) -> Handled {
    let update = settings::read_update_duplicates(call.format, call.body, &LIMITS)?;
    act(move |session, _| {
        let mut settings = session.settings()?;
        settings.duplicates.change(&update);
        session.set(&settings)?;
        Ok(duplicates_answer(&settings))
    })
}

fn avs_answer(settings: &Settings, site: &Site<'_>) -> Answer {
    Answer::ok(Payload::AvsSettings(Box::new(settings.avs.record(CheckAnswer::AVS))))
        .with_link(site.csc_settings("csc"))
        .with_link(site.avs_settings("self"))
}

fn csc_answer(settings: &Settings, site: &Site<'_>) -> Answer {
    Answer::ok(Payload::CscSettings(Box::new(settings.csc.record(CheckAnswer::CSC))))
        .with_link(site.avs_settings("avs"))
        .with_link(site.csc_settings("self"))
}

fn duplicates_answer(settings: &Settings) -> Answer {
    Answer::ok(Payload::DuplicateSettings(Box::new(settings.duplicates.record())))
}
