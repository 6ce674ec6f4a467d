//! How the binary is laid out, so that less of it has to be in memory while nothing happens.

use std::{env, process::Command};

/// The first glibc that reads packed relocations (`DT_RELR`).
const PACKED: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-env-changed=TARGET");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // What is never called while all goes well lies apart from what is.
    println!("cargo::rustc-link-arg-bins=-Wl,-z,keep-text-section-prefix");
    // A hundred thousand addresses are relocated at the start: two megabytes, or some kilobytes of bits.
    if env::var("HOST").ok() == env::var("TARGET").ok() && glibc() >= Some(PACKED) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The version of this machine's C library, where it is glibc: `glibc 2.36`.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
