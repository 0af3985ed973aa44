//! stub
use super::evidence::Change;
use super::narrator::*;
use super::words::Lang;
use crate::sys::*;
pub struct Shell(Lang);
impl Shell {
    pub fn new(lang: Lang) -> Self {
        Self(lang)
    }
}
impl Sink for Shell {
    fn answered(&mut self, _: &Place, _: &Call<'_>, _: &Answer<'_>, _: &[Change]) {}
}
