//! Exit statuses of the command. The numbers are stable; numbers from 64 on are those of sysexits.h.

use std::process::ExitCode;

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded.
    Done = 0,
    /// Something needs the attention of a person.
    Attention = 1,
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
    /// The command or a response is defective; the caller is not at fault.
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
   1  something needs attention: the output says what to do
   2  the command line, a value or a file is not usable; nothing was sent
   3  refused: the gateway refused the request or the key, or would refuse the deletion
   4  declined; the transaction is printed
   5  no such object
   6  partially approved; the transaction is printed
   7  another plan already makes these charges; nothing was sent
   8  the invoice was charged more than once, or for more than its total
  69  the gateway was not reached, or is failing; nothing was changed
  70  the response is invalid, or this program has a defect
  71  the sandbox stopped because its database failed; all data of its responses are stored
  74  done, but the output could not be written: do not send a write again
  75  unknown: it may have been done; look first, or run it again with its --operation-key
 130  SIGINT ended the command and no outcome is unknown; 129 for SIGHUP, 143 for SIGTERM";
