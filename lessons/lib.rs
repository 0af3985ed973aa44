//! The labs of minidocker. Each is an example: `uts/lab.rs` and its neighbours.
