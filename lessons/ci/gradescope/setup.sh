#!/bin/bash
# Gradescope: made once, when the autograder is uploaded. The course is in /autograder/source/course.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y build-essential curl ca-certificates iptables unzip

# For a container that forbids new namespaces: a virtual machine, and what its set-up needs.
apt-get install -y qemu-system-x86 busybox-static kmod xz-utils debian-archive-keyring cpio || true

curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
. "$HOME/.cargo/env"

cd /autograder/source/course
# The grader, and what students' files are built against: a first grading, of nobody, builds that.
cargo build --quiet --bin lab
nobody=$(mktemp -d)
target/debug/lab grade "$nobody" >/dev/null || true
rmdir "$nobody"
MIRROR=${MIRROR:-http://deb.debian.org/debian} tests/vm/setup || echo "no virtual machine: only this container can be used"
