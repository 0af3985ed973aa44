//! COMPOSITION
pub mod spec;
