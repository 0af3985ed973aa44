//! `cgroup-demo`: every controller, its limits seen biting, on cgroup v1 and v2.
