//! The time zone of this machine: gmtime_r(3), mktime(3). They read `TZ` and a table of the C library's, and ask the kernel
//! for nothing that concerns anybody, so the door is not involved.
#![allow(unsafe_code)]

/// Seconds after 1970 at the moment when clocks here show what a clock in UTC shows so many seconds after 1970. Of an hour
/// that comes twice one is taken, and an hour that is left out is the one after it.
pub fn local_to_utc(shown: i64) -> i64 {
    let shown_time: libc::time_t = shown;
    // SAFETY: all zeroes are a valid tm.
    let mut fields: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both are valid; the call keeps neither.
    if unsafe { libc::gmtime_r(&raw const shown_time, &raw mut fields) }.is_null() {
        return shown;
    }
    fields.tm_isdst = -1;
    // SAFETY: `fields` is a valid tm. This program has one thread, or none that changes its environment.
    unsafe { libc::mktime(&raw mut fields) }
}
