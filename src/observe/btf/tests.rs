//! The reader on a file made here, byte by byte, and on the same file damaged.

use super::*;
use proptest::prelude::*;

/// A file under construction.
struct Builder {
    big_endian: bool,
    types: Vec<u32>,
    strings: Vec<u8>,
    count: u32,
}

/// Numbers of kinds, as linux/btf.h has them.
const INT: u32 = 1;
const PTR: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const CONST: u32 = 10;
const FUNC_PROTO: u32 = 13;
const TYPE_TAG: u32 = 18;

impl Builder {
    fn new(big_endian: bool) -> Self {
        Self { big_endian, types: Vec::new(), strings: vec![0], count: 0 }
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(name.bytes().chain([0]));
        at
    }

    /// A record of `kind` with `count` elements and the words that follow; its number.
    fn record(&mut self, name: &str, kind: u32, count: usize, size_or_type: u32, tail: &[u32]) -> u32 {
        let name = self.name(name);
        self.types.extend([name, kind << 24 | count as u32, size_or_type]);
        self.types.extend(tail);
        self.count += 1;
        self.count
    }

    /// A struct with `kind_flag`, whose members are (name, type, bit offset, width).
    fn aggregate(&mut self, name: &str, kind: u32, size: u32, members: &[(&str, u32, u32, u32)]) -> u32 {
        let mut tail = Vec::new();
        for (name, id, bit, width) in members {
            let name = self.name(name);
            tail.extend([name, *id, width << 24 | bit]);
        }
        let id = self.record(name, kind | 0x80, members.len(), size, &tail);
        assert_eq!(id, self.count);
        id
    }

    fn bytes(&self) -> Vec<u8> {
        let word = |word: u32| if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let length = self.types.len() as u32 * 4;
        let mut bytes = if self.big_endian { vec![0xeb, 0x9f, 1, 0] } else { vec![0x9f, 0xeb, 1, 0] };
        for header in [24, 0, length, length, self.strings.len() as u32] {
            bytes.extend(word(header));
        }
        bytes.extend(self.types.iter().flat_map(|one| word(*one)));
        bytes.extend(&self.strings);
        bytes
    }
}

/// A struct with a member of each kind.
fn example(big_endian: bool) -> Vec<u8> {
    let mut file = Builder::new(big_endian);
    let int = file.record("int", INT, 0, 4, &[0x0100_0020]);
    let character = file.record("char", INT, 0, 1, &[0x0100_0008]);
    let name = file.record("", ARRAY, 0, 0, &[character, int, 16]);
    let to_int = file.record("", PTR, 0, int, &[]);
    let inner = file.aggregate("", UNION, 8, &[("number", int, 0, 0), ("pointer", to_int, 0, 0)]);
    let constant = file.record("", CONST, 0, character, &[]);
    let text = file.record("", PTR, 0, constant, &[]);
    let prototype = file.record("", FUNC_PROTO, 2, int, &[0, text, 0, 0]);
    let function = file.record("", PTR, 0, prototype, &[]);
    let tagged = file.record("rcu", TYPE_TAG, 0, int, &[]);
    let rcu = file.record("", PTR, 0, tagged, &[]);
    file.aggregate(
        "example",
        STRUCT,
        56,
        &[
            ("count", int, 0, 0),
            ("low", int, 32, 3),
            ("high", int, 35, 5),
            ("name", name, 64, 0),
            ("", inner, 192, 0),
            ("print", function, 256, 0),
            ("shared", rcu, 320, 0),
        ],
    );
    let constants = [file.name("first"), 0, file.name("second"), u32::MAX];
    file.record("numbers", ENUM | 0x80, 2, 4, &constants);
    file.bytes()
}

#[test]
fn every_member_has_its_declaration_offset_and_size() {
    for big_endian in [false, true] {
        let btf = Btf::parse(example(big_endian)).unwrap();
        let layout = btf.layout("example").unwrap();
        assert_eq!((layout.name.as_str(), layout.size), ("struct example", 56));
        let shown: Vec<(&str, u64, u64)> = layout
            .members
            .iter()
            .map(|member| (member.declaration.as_str(), member.offset, member.size))
            .collect();
        assert_eq!(
            shown,
            [
                ("int count", 0, 4),
                ("int low : 3", 4, 4),
                ("int high : 5", 4, 4),
                ("char name[16]", 8, 16),
                ("union {…}", 24, 8),
                ("int (*print)(const char *, ...)", 32, 8),
                ("int __rcu *shared", 40, 8),
            ]
        );
        assert_eq!(layout.members[2].bits, Some(Bits { first: 3, count: 5 }));
        let inner: Vec<(&str, u64)> =
            layout.members[4].members.iter().map(|member| (member.kind.as_str(), member.offset)).collect();
        assert_eq!(inner, [("int", 24), ("int *", 24)]);
        assert_eq!(btf.constants("numbers").unwrap(), [("first".to_owned(), 0), ("second".to_owned(), -1)]);
        assert_eq!(btf.layout("nothing"), None);
    }
}

#[test]
fn a_member_is_found_by_its_name_wherever_it_stands() {
    let btf = Btf::parse(example(false)).unwrap();
    let id = btf.find(&[Kind::Struct], "example").unwrap();
    let pointer = btf.field(id, "pointer").unwrap();
    assert_eq!(pointer.offset, 24);
    assert_eq!(btf.pointee(pointer.id).and_then(|id| btf.size(id)), Some(4));
    let name = btf.field(id, "name").unwrap();
    assert_eq!(btf.elements(name.id).map(|(_, length)| length), Some(16));
    assert_eq!(btf.field(id, "low"), None);
    assert_eq!(btf.field(id, "none"), None);
}

#[test]
fn what_is_no_btf_is_refused_with_the_place() {
    assert_eq!(Btf::parse(Vec::new()).unwrap_err(), Damage::NotBtf);
    assert_eq!(Btf::parse(b"\x7fELF".to_vec()).unwrap_err(), Damage::NotBtf);
    let mut bytes = example(false);
    bytes[2] = 2;
    assert_eq!(Btf::parse(bytes).unwrap_err(), Damage::Version(2));
    let mut bytes = example(false);
    bytes[24 + 7] = 30;
    assert_eq!(Btf::parse(bytes).unwrap_err(), Damage::UnknownKind(30, 24));
    let whole = example(false);
    for length in 4..whole.len() {
        assert!(Btf::parse(whole[..length].to_vec()).is_err(), "{length} of {} bytes", whole.len());
    }
}

/// Types that refer to themselves in every way there is.
fn circles() -> Vec<u8> {
    let mut file = Builder::new(false);
    file.record("", PTR, 0, 1, &[]);
    file.record("", CONST, 0, 2, &[]);
    file.record("", ARRAY, 0, 0, &[3, 3, u32::MAX]);
    file.aggregate(
        "",
        STRUCT,
        1,
        &[("", 4, 0, 0), ("", 4, 0, 0), ("a", 1, 0, 0), ("b", 2, 0, 0), ("c", 3, 0, 0)],
    );
    file.record("", FUNC_PROTO, 3, 5, &[0, 5, 0, 5, 0, 1]);
    file.aggregate("circle", UNION, 1, &[("", 4, 0, 0), ("f", 5, 0, 0), ("", 6, 0, 0)]);
    file.bytes()
}

/// Ask everything there is to ask.
fn ask_everything(btf: &Btf) {
    let names: Vec<String> = btf.named().map(|(_, _, name)| name.to_owned()).collect();
    for name in names.iter().take(8) {
        let _ = (btf.layout(name), btf.typedef(name), btf.constants(name));
    }
    for id in (0..=btf.len() as u32 + 1).take(16).map(TypeId) {
        let _ = (btf.size(id), btf.declaration(id, "x"), btf.pointee(id), btf.elements(id));
        let _ = (btf.field(id, "none"), btf.field(id, "pointer"));
    }
}

#[test]
fn types_that_contain_themselves_are_cut_off() {
    ask_everything(&Btf::parse(circles()).unwrap());
}

#[test]
fn the_running_kernel_describes_itself_without_contradiction() {
    // A kernel without a description is none of this test's business.
    let Ok(btf) = Btf::of_running_kernel() else { return };
    for name in ["task_struct", "nsproxy", "css_set", "list_head"] {
        let layout = btf.layout(name).unwrap();
        assert!(!layout.members.is_empty());
        let mut before = 0;
        for member in &layout.members {
            assert!(member.offset + member.size <= layout.size, "{name}.{}", member.name);
            assert!(member.offset >= before, "{name}.{}", member.name);
            before = member.offset;
        }
    }
    let list = btf.layout("list_head").unwrap();
    let shown: Vec<&str> = list.members.iter().map(|member| member.declaration.as_str()).collect();
    assert_eq!((list.size, shown), (16, vec!["struct list_head *next", "struct list_head *prev"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = vec![0x9f, 0xeb, 1, 0];
        file.extend(bytes);
        if let Ok(btf) = Btf::parse(file) {
            ask_everything(&btf);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        circular in any::<bool>(),
    ) {
        let mut file = if circular { circles() } else { example(false) };
        for (place, byte) in damage {
            let index = place.index(file.len());
            file[index] = byte;
        }
        if let Ok(btf) = Btf::parse(file) {
            ask_everything(&btf);
        }
    }
}
