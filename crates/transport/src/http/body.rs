//! The body of a response, within its limit.

use bytes::{Bytes, BytesMut};

use crate::{Kind, TransportError};

/// The pieces of a body that have arrived. A body of one piece is not copied.
pub(crate) struct Body {
    limit: usize,
    declared: usize,
    first: Bytes,
    all: BytesMut,
}

impl Body {
    /// A body whose length the response may have declared, of at most this many bytes.
    pub(crate) fn new(limit: usize, declared: Option<u64>) -> Result<Self, TransportError> {
        let declared = usize::try_from(declared.unwrap_or(0)).unwrap_or(usize::MAX);
        if declared > limit {
            return Err(TransportError::new(Kind::TooLarge));
        }
        Ok(Self { limit, declared, first: Bytes::new(), all: BytesMut::new() })
    }

    pub(crate) fn add(&mut self, piece: Bytes) -> Result<(), TransportError> {
        if piece.len() > self.limit - self.first.len().max(self.all.len()) {
            return Err(TransportError::new(Kind::TooLarge));
        }
        if self.first.is_empty() && self.all.is_empty() {
            self.first = piece;
        } else {
            if self.all.is_empty() {
                self.all.reserve(self.declared);
                self.all.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.all.extend_from_slice(&piece);
        }
        Ok(())
    }

    pub(crate) fn whole(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_the_sum_of_its_pieces_up_to_the_limit() {
        let cases: &[(Option<u64>, &[&'static str], Option<&str>)] = &[
            (None, &[], Some("")),
            (Some(4), &["four"], Some("four")),
            (None, &["fo", "", "ur"], Some("four")),
            (None, &["", "four"], Some("four")),
            (None, &["fo", "u", "r"], Some("four")),
            (Some(5), &[], None),
            (Some(u64::MAX), &[], None),
            (None, &["fives"], None),
            (None, &["four", "s"], None),
            (None, &["fo", "ur", "s"], None),
        ];
        for (declared, pieces, expected) in cases {
            let read = || {
                let mut body = Body::new(4, *declared)?;
                pieces.iter().try_for_each(|piece| body.add(Bytes::from_static(piece.as_bytes())))?;
                Ok::<_, TransportError>(body.whole())
            };
            match (read(), expected) {
                (Ok(body), Some(expected)) => assert_eq!(body, *expected, "{pieces:?}"),
                (Err(error), None) => assert_eq!(error.kind(), Kind::TooLarge, "{pieces:?}"),
                (read, _) => panic!("{pieces:?}: {read:?}"),
            }
        }
    }
}
