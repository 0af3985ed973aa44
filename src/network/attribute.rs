//! Attributes: the typed values that follow every rtnetlink header, built and taken apart.
//!
//! An attribute (`struct rtattr`, linux/rtnetlink.h) is its own length and its type, 16 bits each in the
//! machine's byte order, then the value. The length counts these four bytes but not the padding that brings
//! the next attribute to a multiple of four. The value of some attributes is again a row of attributes: that
//! is all there is to nesting.
//!
//! ```text
//! 0       2       4                         length   next multiple of 4
//! | length | type | value ...................|  zeros  | next attribute
//! ```

use std::net::Ipv4Addr;

const HEADER: usize = 4;
const ALIGNMENT: usize = 4;
/// The two top bits of a type are marks (`NLA_F_NESTED`, `NLA_F_NET_BYTEORDER`), not part of it.
const TYPE_MASK: u16 = 0x3fff;

/// A message or a part of one, growing at its end.
#[derive(Debug, Default)]
pub struct Builder(Vec<u8>);

impl Builder {
    /// Start with `header`, the fixed structure that precedes the attributes.
    pub fn after(header: &[u8]) -> Self {
        Self(header.to_vec())
    }

    /// Add an attribute whose value is `value`, byte for byte.
    pub fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let start = self.open(kind);
        self.0.extend_from_slice(value);
        self.close(start);
        self
    }

    /// Add a string; the zero byte that ends it belongs to the value.
    pub fn text(self, kind: u16, value: &str) -> Self {
        self.bytes(kind, &[value.as_bytes(), &[0]].concat())
    }

    /// Add a number, in the machine's byte order.
    pub fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Add an address, in the network's byte order as everywhere in the kernel.
    pub fn address(self, kind: u16, value: Ipv4Addr) -> Self {
        self.bytes(kind, &value.octets())
    }

    /// Add an attribute whose value is `header` and then what `inner` adds.
    pub fn nest(mut self, kind: u16, header: &[u8], inner: impl FnOnce(Self) -> Self) -> Self {
        let start = self.open(kind);
        self.0.extend_from_slice(header);
        let mut built = inner(self);
        built.close(start);
        built
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Begin an attribute; where it begins. Its length is not known yet.
    fn open(&mut self, kind: u16) -> usize {
        let start = self.0.len();
        self.0.extend_from_slice(&[0, 0]);
        self.0.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    /// End the attribute that began at `start`: write its length, then pad.
    fn close(&mut self, start: usize) {
        let length = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self.0.resize(self.0.len().next_multiple_of(ALIGNMENT), 0);
    }
}

/// The attributes in `bytes`, as (type, value). Ends at the first that does not fit what is left.
#[derive(Debug, Clone)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & TYPE_MASK;
        let value = self.0.get(HEADER..length)?;
        self.0 = self.0.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((kind, value))
    }
}

/// The 16-bit number at `offset`, in the machine's byte order.
pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

/// The 32-bit number at `offset`, in the machine's byte order.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_length_counts_the_header_but_not_the_padding() {
        let built = Builder::default().text(3, "lo").number(10, 7).finish();
        #[rustfmt::skip]
        let expected = if cfg!(target_endian = "little") {
            [7, 0, 3, 0, b'l', b'o', 0, 0,  8, 0, 10, 0, 7, 0, 0, 0]
        } else {
            [0, 7, 0, 3, b'l', b'o', 0, 0,  0, 8, 0, 10, 0, 0, 0, 7]
        };
        assert_eq!(built, expected);
    }

    #[test]
    fn a_nested_row_is_the_value_of_its_attribute() {
        let built = Builder::default().nest(18, &[9; 4], |inner| inner.number(1, 5)).finish();
        let (kind, value) = Attributes(&built).next().expect("one attribute");
        assert_eq!((kind, &value[..4]), (18, &[9; 4][..]));
        assert_eq!(Attributes(&value[4..]).collect::<Vec<_>>(), [(1, &5u32.to_ne_bytes()[..])]);
    }

    proptest! {
        #[test]
        fn what_is_built_is_what_is_read(row in vec((0..=TYPE_MASK, vec(any::<u8>(), 0..40)), 0..12)) {
            let built = row.iter().fold(Builder::default(), |builder, (kind, value)| builder.bytes(*kind, value));
            let read: Vec<_> = Attributes(&built.finish()).map(|(kind, value)| (kind, value.to_vec())).collect();
            prop_assert_eq!(read, row);
        }

        #[test]
        fn any_bytes_are_read_without_panic_and_in_bounded_steps(bytes in vec(any::<u8>(), 0..300)) {
            prop_assert!(Attributes(&bytes).count() <= bytes.len() / HEADER);
        }
    }
}
