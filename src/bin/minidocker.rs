//! `minidocker`: a small Docker made of the parts that the demos show.

use minidocker::container::Parts;
use std::process::ExitCode;

fn main() -> ExitCode {
    minidocker::main(Parts::REFERENCE)
}
