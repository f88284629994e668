//! A process that owns a server, to be killed.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use eyemotion_db::local::{LocalConfig, LocalPostgres};

use super::{bin_dir, connect};

/// Set for [`owner`], the process that the tests kill.
pub const OWNER_DATA_DIR: &str = "EYEMOTION_TEST_OWNER_DATA_DIR";

/// The programs that it uses, if not those that it finds.
const OWNER_BIN_DIR: &str = "EYEMOTION_TEST_OWNER_BIN_DIR";

/// [`owner`] in a process of its own.
pub struct Owner {
    pub process: Child,
    output: BufReader<ChildStdout>,
}

impl Owner {
    /// Starts it, as the user `uid` if given, and waits for the line `word`.
    pub fn start(data_dir: &Path, uid: Option<u32>, word: &str) -> Self {
        Self::start_with(data_dir, uid, None, word)
    }

    pub fn start_with(
        data_dir: &Path,
        uid: Option<u32>,
        bin_dir: Option<&Path>,
        word: &str,
    ) -> Self {
        let mut program = env::current_exe().unwrap();
        if uid.is_some() {
            // It may lie where that user may not go.
            let copy = data_dir.parent().unwrap().join("owner");
            fs::copy(program, &copy).unwrap();
            program = copy;
        }
        let mut command = Command::new(program);
        command
            .args(["--exact", "local::owner::owner", "--ignored", "--nocapture"])
            .env(OWNER_DATA_DIR, data_dir)
            .envs(bin_dir.map(|bin_dir| (OWNER_BIN_DIR, bin_dir)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(uid) = uid {
            command.uid(uid).gid(uid);
        }
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut owner = Self { process, output };
        owner.wait_for(word);
        owner
    }

    pub fn wait_for(&mut self, word: &str) {
        let mut line = String::new();
        while line.trim() != word {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the owner ended"
            );
        }
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test: what [`Owner`] runs. Starts a server, writes a row, waits to be killed.
#[tokio::test]
#[ignore = "a process for other tests"]
async fn owner() {
    let Some(data_dir) = env::var_os(OWNER_DATA_DIR) else {
        return;
    };
    println!("\nstarting");
    // With fsync, as what it has committed must survive.
    let config = LocalConfig {
        data_dir: data_dir.into(),
        bin_dir: env::var_os(OWNER_BIN_DIR)
            .map(PathBuf::from)
            .or_else(bin_dir),
        ..LocalConfig::default()
    };
    let server = LocalPostgres::start(&config).await.unwrap();
    let client = connect(&server.url()).await;
    client
        .batch_execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    println!("\nready");
    // Until the test closes the pipe, or kills.
    tokio::task::spawn_blocking(|| std::io::stdin().lines().next())
        .await
        .unwrap();
    server.stop().await.unwrap();
    println!("\nstopped");
}
