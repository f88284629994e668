/// Every place where a build with the feature `failpoints` can stop (crate `fail`), in the order
/// in which an upload passes them. A test kills the process at each and looks what is left.
pub const FAIL_POINTS: &[&str] = &[
    "storage.grant.before_commit",
    "storage.grant.after_commit",
    "storage.upload.claimed",
    "storage.upload.mid_write",
    "storage.upload.before_fsync",
    "storage.upload.after_fsync",
    "storage.upload.after_rename",
    "storage.upload.before_uploaded",
    "storage.upload.after_uploaded",
    "storage.confirm.before_commit",
    "storage.confirm.after_commit",
    "storage.process.before_verified",
    "storage.process.after_verified",
    "storage.process.after_probe",
    "storage.process.after_derivative",
    "storage.process.before_ready",
    "storage.process.after_ready",
    "storage.purge.before_delete",
    "storage.purge.after_delete",
    "storage.purge.after_commit",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    fn used_in(directory: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                used_in(&path, found);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            for rest in source.split("fail::fail_point!(\"").skip(1) {
                let name = rest.split('"').next().unwrap();
                if name.starts_with("storage.") {
                    assert!(found.insert(name.to_owned()), "{name} twice");
                }
            }
        }
    }

    #[test]
    fn the_list_is_the_sources() {
        let mut used = BTreeSet::new();
        used_in(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut used,
        );
        let listed: BTreeSet<String> = FAIL_POINTS.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(listed, used);
    }
}
