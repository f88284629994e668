use crate::cli::{Cli, Command, ConfigAction};
use crate::{Failure, output};
use gateway::config::{self, Flag, Loaded, Sources};

/// Reads the configuration that the command line, the environment and the file make together.
pub fn load(cli: &Cli) -> Result<Loaded, Failure> {
    let mut flags = Vec::new();
    let mut flag = |name: &'static str, key: &'static str, value: Option<String>| {
        flags.extend(value.map(|value| Flag { name, key, value }));
    };
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    flag("--data-dir", "data.dir", path(&cli.data_dir));
    flag("--pg-bin", "pg.bin", path(&cli.pg_bin));
    if let Command::Serve(serve) = &cli.command {
        flag(
            "--host",
            "server.host",
            serve.host.map(|host| host.to_string()),
        );
        flag(
            "--port",
            "server.port",
            serve.port.map(|port| port.to_string()),
        );
    }
    let sources = Sources {
        env: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        flags,
        config_file: cli.config.clone(),
        working_dir: std::env::current_dir().map_err(Failure::new)?,
        is_root: rustix::process::geteuid().is_root(),
    };
    config::load(&sources).map_err(Failure::config)
}

/// `config check` and `config dump`.
pub fn show(action: ConfigAction, loaded: &Loaded) -> Result<(), Failure> {
    for warning in &loaded.warnings {
        output::complain(warning);
    }
    match action {
        ConfigAction::Check => {
            let file = loaded
                .file
                .as_ref()
                .map(|file| format!(" ({})", file.display()));
            output::print(&format!(
                "The configuration is valid{}.\n",
                file.unwrap_or_default()
            ))
        }
        ConfigAction::Dump => output::print(&loaded.dump().map_err(Failure::new)?),
    }
}
