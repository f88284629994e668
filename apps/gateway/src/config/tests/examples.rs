use std::collections::BTreeSet;

use super::super::Settings;
use super::super::keys::{ALIASES, Keys, key_of_variable};
use super::from_file;

/// The example file names every setting with its default, and nothing else.
#[test]
fn the_example_file_is_complete() {
    let example = include_str!("../../../../../eyemotion.example.toml");
    let is_setting = |line: &&str| {
        line.starts_with('[')
            || line
                .strip_prefix('#')
                .is_some_and(|rest| rest.starts_with(char::is_lowercase))
    };
    let lines = example
        .lines()
        .filter(is_setting)
        .map(|line| line.trim_start_matches('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let table: toml::Table = toml::from_str(&text).unwrap();
    let named: BTreeSet<String> = table
        .iter()
        .flat_map(|(section, keys)| {
            keys.as_table()
                .unwrap()
                .keys()
                .map(move |key| format!("{section}.{key}"))
        })
        .collect();
    let keys = Keys::known().unwrap();
    assert_eq!(named, keys.iter().map(|(key, _)| key.to_owned()).collect());
    from_file(&text).unwrap();

    let defaults = toml::Value::try_from(Settings::default()).unwrap();
    for (section, settings) in defaults.as_table().unwrap() {
        for (name, default) in settings.as_table().unwrap() {
            let lists = default.as_array().is_some_and(Vec::is_empty);
            assert!(
                lists || &table[section][name] == default,
                "{section}.{name} = {default}"
            );
        }
    }
}

#[test]
fn the_example_environment_names_every_plain_variable() {
    let example = include_str!("../../../../../.env.example");
    for (alias, _) in ALIASES {
        assert!(
            example.contains(&format!("#{alias}=")),
            "{alias} is missing"
        );
    }
    for line in example
        .lines()
        .filter_map(|line| line.strip_prefix("#EYEMOTION_"))
    {
        let (name, _) = line.split_once('=').unwrap();
        let key = key_of_variable(name);
        assert!(
            key == "config" || Keys::known().unwrap().kind(&key).is_some(),
            "{key}"
        );
    }
}
