//! Puts the layers together: every value is checked and keeps its origin.

use std::collections::BTreeMap;
use std::path::PathBuf;

use figment::Figment;
use figment::providers::Serialized;

use super::keys::Keys;
use super::layers::{self, Flag};
use super::problem::{ConfigError, Problems};
use super::resolve::{Value, given_twice, resolve};
use super::{Settings, default_data_dir};

const FILE_NAME: &str = "eyemotion.toml";
const DEFAULT: &str = "default";

/// Everything that configuration is read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The process's environment.
    pub env: BTreeMap<String, String>,
    /// Values of flags, in the order given.
    pub flags: Vec<Flag>,
    /// The file named by `--config`: it must exist. Absent: `EYEMOTION_CONFIG`, then `./eyemotion.toml`,
    /// then the one in the data folder, where present.
    pub config_file: Option<PathBuf>,
    /// The folder that `./eyemotion.toml` is looked for in.
    pub working_dir: PathBuf,
    /// Whether the process runs as root, which moves the default data folder.
    pub is_root: bool,
}

/// A valid configuration and where it came from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// What the operator should know although it stops nothing.
    pub warnings: Vec<String>,
    /// Of each key that has a value.
    pub(super) origins: BTreeMap<String, String>,
}

/// Reads, merges and checks the configuration.
///
/// # Errors
/// [`ConfigError`] with every problem found, not only the first.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let mut problems = Problems::default();
    let keys = match Keys::known() {
        Ok(keys) => keys,
        Err(error) => {
            problems.add("settings", DEFAULT, error.to_string());
            return Err(ConfigError(problems.0));
        }
    };
    let file = find_file(sources);
    let mut layers = vec![
        layers::environment(&sources.env),
        layers::flags(&sources.flags),
    ];
    if let Some(path) = &file {
        layers.insert(0, layers::file(path, &mut problems));
    }

    let mut figment = Figment::from(defaults(sources));
    for layer in layers {
        given_twice(&layer, &mut problems);
        for given in layer {
            if let Some(value) = resolve(given, &keys, &mut problems) {
                figment = figment.merge(value);
            }
        }
    }
    let settings = extract(&mut figment, sources, &mut problems);

    let checked = problems.0.len();
    if let Some(settings) = &settings {
        settings.validate(&mut problems);
    }
    for problem in problems.0.iter_mut().skip(checked) {
        problem.origin = origin(&figment, &problem.key).unwrap_or_default();
    }
    match settings {
        Some(settings) if problems.0.is_empty() => {
            let warnings = layers::supabase_warnings(&sources.env);
            let origins = keys
                .names()
                .filter_map(|key| Some((key.to_owned(), origin(&figment, key)?)));
            Ok(Loaded {
                settings,
                file,
                warnings,
                origins: origins.collect(),
            })
        }
        _ => Err(ConfigError(problems.0)),
    }
}

fn find_file(sources: &Sources) -> Option<PathBuf> {
    let named = sources
        .env
        .get("EYEMOTION_CONFIG")
        .filter(|path| !path.is_empty());
    if let Some(path) = sources
        .config_file
        .clone()
        .or_else(|| named.map(PathBuf::from))
    {
        return Some(path);
    }
    let flag = sources
        .flags
        .iter()
        .rfind(|flag| flag.key == "data.dir")
        .map(|flag| &flag.value);
    let dir = flag
        .or_else(|| sources.env.get("EYEMOTION_DATA_DIR"))
        .filter(|dir| !dir.is_empty());
    let data = dir.map_or_else(|| default_data_dir(sources.is_root), PathBuf::from);
    let places = [sources.working_dir.clone(), sources.working_dir.join(data)];
    places
        .iter()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file())
}

fn defaults(sources: &Sources) -> Value {
    let mut settings = Settings::default();
    settings.data.dir = default_data_dir(sources.is_root);
    Value::new(DEFAULT, &Serialized::defaults(settings))
}

/// The settings, with each value that does not fit recorded and replaced by its default, so that one
/// mistake does not hide the next.
fn extract(figment: &mut Figment, sources: &Sources, problems: &mut Problems) -> Option<Settings> {
    let defaults = Figment::from(defaults(sources));
    loop {
        let error = match figment.extract::<Settings>() {
            Ok(settings) => return Some(settings),
            Err(error) => error,
        };
        let key = error.path.join(".");
        let origin = origin(figment, &key).unwrap_or_default();
        problems.add(&key, &origin, error.kind.to_string());
        let default = defaults
            .find_value(&key)
            .ok()
            .filter(|_| origin != DEFAULT)?;
        *figment = figment
            .clone()
            .merge(Value::new(DEFAULT, &Serialized::default(&key, default)));
    }
}

/// Where the value of a key came from.
fn origin(figment: &Figment, key: &str) -> Option<String> {
    figment
        .find_metadata(key)
        .map(|metadata| metadata.name.to_string())
}
