//! What runs on this machine.

use std::fs;
use std::path::Path;

/// Every running process with this path in its command line, as `<id> <command line>`.
pub(crate) fn naming(path: &Path) -> Vec<String> {
    let path = path.to_str().unwrap();
    let entries = fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: i32| {
        // Gone meanwhile: not running.
        let command = fs::read(format!("/proc/{id}/cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        command.contains(path).then(|| format!("{id} {command}"))
    })
    .collect()
}

/// A figure of `/proc/<id>/status` in KiB: `VmHWM` (the largest resident set so far), `VmRSS`.
pub(crate) fn kib(id: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
