//! `/proc/self/net/tcp`: who listens in the reader's network namespace. See proc_net_tcp(5).

/// The ports on which somebody listens for TCP over IPv4, each once, in order.
pub fn listening_ports() -> Option<Vec<u16>> {
    Some(listening(&std::fs::read_to_string("/proc/self/net/tcp").ok()?))
}

/// Each line after the headings is `SL: ADDRESS:PORT ADDRESS:PORT STATE …`, in hexadecimal; TCP_LISTEN is `0A`.
fn listening(table: &str) -> Vec<u16> {
    let port = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next()?, fields.nth(1)?);
        let port = u16::from_str_radix(local.split_once(':')?.1, 16).ok()?;
        (state == "0A").then_some(port)
    };
    let mut ports: Vec<u16> = table.lines().skip(1).filter_map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_count() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:1F90 00000000:0000 0A 0\n   \
                     1: 0100007F:1F91 0100007F:1F90 01 0\n   2: 00000000:0016 00000000:0000 0A 0\n";
        assert_eq!(listening(table), [22, 8080]);
        assert_eq!(listening(""), [0u16; 0]);
    }
}
