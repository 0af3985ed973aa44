//! Message queues of an IPC namespace: `/proc/sysvipc/msg`, and the file system `mqueue`. See sysvipc(7), mq_overview(7).

use std::path::Path;

/// The keys of the System V queues of the reader's IPC namespace. `None` on a kernel without System V IPC.
pub fn system_v_keys() -> Option<Vec<i32>> {
    Some(keys(&std::fs::read_to_string("/proc/sysvipc/msg").ok()?))
}

/// One line of headings; then each line begins with the key, in decimal.
fn keys(table: &str) -> Vec<i32> {
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

/// The names of the POSIX queues that a mounted `mqueue` file system shows, in order.
pub fn posix_names(mount: &Path) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(mount).ok()?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_first_number_of_each_line() {
        let table = "       key      msqid perms\n1835297132          0   600\n       -12          3   600\n";
        assert_eq!(keys(table), [1835297132, -12]);
        assert_eq!(keys(""), [0i32; 0]);
    }
}
