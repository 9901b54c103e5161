//! Exit statuses of the command. The numbers are stable; numbers from 64 on are those of sysexits.h.

use std::process::ExitCode;

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded.
    Done = 0,
    /// The command line, or a value or file it names, is not usable; nothing was sent.
    Usage = 2,
    /// The gateway refused the request or the key, or would refuse the deletion.
    Refused = 3,
    /// The card was declined.
    Declined = 4,
    /// The object does not exist.
    NotFound = 5,
    /// Only a part of the amount was approved, and was taken.
    Partial = 6,
    /// Another plan makes equal charges; nothing was sent.
    Second = 7,
    /// An invoice was charged with more than its amount, or more than once.
    Excess = 8,
    /// The gateway was not reached, or is failing; nothing was changed.
    Unavailable = 69,
    /// The command or an answer is defective; the caller is not at fault.
    Internal = 70,
    /// The running sandbox could not store anything more, and has stopped.
    Stopped = 71,
    /// The operation was done, but its result could not be printed.
    Unprinted = 74,
    /// The operation may have been done or not: check before sending it again.
    Unknown = 75,
    /// SIGHUP ended the run, and no outcome is uncertain.
    Hangup = 129,
    /// SIGINT ended the run, and no outcome is uncertain.
    Interrupt = 130,
    /// SIGTERM ended the run, and no outcome is uncertain.
    Terminate = 143,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The table in the help.
pub(crate) const TABLE: &str = "\
Exit status:
   0  done
   2  the command line, or a value or file it names, is not usable; nothing was sent
   3  refused: by the gateway, for its key, or because something stands in the way of a deletion
   4  declined: the transaction is printed all the same
   5  no such object
   6  only a part of the amount was approved and taken: the transaction is printed all the same
   7  a plan charges the same already; nothing was sent
   8  an invoice was charged more than once, or with more than it comes to
  69  the gateway was not reached or is failing; nothing was changed
  70  an answer that cannot be, or a defect of this program
  71  the sandbox stopped because its database failed; what it answered is kept
  74  done, but standard output cannot be written to: do not send a write again
  75  it may have been done or not: look before sending it again
 130  a signal ended it and nothing is in doubt; 129 is for HUP, 143 for TERM";
