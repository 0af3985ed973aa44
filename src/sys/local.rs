//! localtime_r(3): a point in time on the clock on the wall. It only reads the description of the time zone, so the door
//! is not involved.
#![allow(unsafe_code)]

/// A point in time in the machine's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// Year.
    pub year: i32,
    /// Month, from 0.
    pub month: usize,
    /// Day of the month, from 1.
    pub day: i32,
    /// Hour.
    pub hour: i32,
    /// Minute.
    pub minute: i32,
}

/// The time that is so many seconds after the beginning of 1970 (UTC).
pub fn local(seconds: i64) -> Local {
    let time: libc::time_t = seconds;
    // SAFETY: all zeroes are a valid tm; localtime_r only reads one argument and fills in the other.
    let tm = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const time, &raw mut tm);
        tm
    };
    let month = usize::try_from(tm.tm_mon).unwrap_or(0).min(11);
    Local { year: tm.tm_year + 1900, month, day: tm.tm_mday, hour: tm.tm_hour, minute: tm.tm_min }
}
