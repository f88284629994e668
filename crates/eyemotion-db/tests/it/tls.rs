//! Encrypted connections, as `sslmode` and `sslrootcert` ask for them, against a server that has a
//! certificate and against one that has none.

use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::people::until;
use crate::server::Server;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use eyemotion_core::Ctx;
use eyemotion_db::{ConnectError, DatabaseConfig, Db, DbError, MigrateError, migrate};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use tempfile::TempDir;
use tokio_postgres::Client;

/// The name that the certificates are for; no test asks the world's name servers for it.
const NAME: &str = "db.example";

/// A loopback address of its own, whose port of the local server's choice is free.
fn free_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let own = std::process::id().to_be_bytes();
    let mut others =
        (0..250).map(|_| Ipv4Addr::new(127, own[2], own[3], NEXT.fetch_add(1, Ordering::Relaxed)));
    let free = |address: &Ipv4Addr| TcpListener::bind((*address, 5432)).is_ok();
    // Not every system has more than one.
    others.find(free).unwrap_or(Ipv4Addr::LOCALHOST)
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server at an address of its own, with a login `app` that has a password and two databases:
/// `secure` takes encrypted connections only.
struct TlsServer {
    server: Server,
    address: Ipv4Addr,
    roots: TempDir,
}

impl TlsServer {
    async fn start() -> Self {
        let address = free_address();
        let server = Server::start(&[("listen_addresses", &address.to_string())]).await;
        let admin = server.superuser("eyemotion").await;
        for sql in [
            "create role app login createrole password 'secret'",
            "create database secure owner app",
            "create database either owner app",
        ] {
            admin.batch_execute(sql).await.unwrap();
        }
        let rules = "local all all trust\n\
                     hostssl secure app 127.0.0.0/8 scram-sha-256\n\
                     host either app 127.0.0.0/8 scram-sha-256\n";
        fs::write(server.cluster().join("pg_hba.conf"), rules).unwrap();
        reload(&admin).await;
        Self {
            server,
            address,
            roots: tempfile::tempdir().unwrap(),
        }
    }

    /// With a certificate from the authority; its file is `root.pem`, another one's `other.pem`.
    async fn with_certificate() -> Self {
        let server = Self::start().await;
        let (ours, other) = (authority(), authority());
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::IpAddress(IpAddr::V4(server.address)));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &ours).unwrap();
        server.present(&certificate.pem(), &key).await;
        fs::write(server.root("root.pem"), ours.pem()).unwrap();
        fs::write(server.root("other.pem"), other.pem()).unwrap();
        server
    }

    /// With a certificate that signs itself and calls itself an authority, in `root.pem`.
    async fn self_signed() -> Self {
        let server = Self::start().await;
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        server.present(&certificate.pem(), &key).await;
        fs::write(server.root("root.pem"), certificate.pem()).unwrap();
        server
    }

    async fn present(&self, certificate: &str, key: &KeyPair) {
        let cluster = self.server.cluster();
        let owner = fs::metadata(&cluster).unwrap();
        for (name, pem) in [
            ("server.crt", certificate),
            ("server.key", &key.serialize_pem()),
        ] {
            let path = cluster.join(name);
            let mut file = File::options()
                .mode(0o600)
                .write(true)
                .create_new(true)
                .open(&path);
            file.as_mut().unwrap().write_all(pem.as_bytes()).unwrap();
            chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        let admin = self.server.superuser("eyemotion").await;
        admin
            .batch_execute("alter system set ssl = on")
            .await
            .unwrap();
        reload(&admin).await;
    }

    fn root(&self, file: &str) -> PathBuf {
        self.roots.path().join(file)
    }

    /// By its name, without asking for the name's address.
    fn named(&self, name: &str, database: &str, words: &str) -> DatabaseConfig {
        let words = words.replace("ROOTS", self.roots.path().to_str().unwrap());
        DatabaseConfig::new(format!(
            "host={name} hostaddr={} user=app password=secret dbname={database} {words}",
            self.address
        ))
    }

    fn url(&self, words: &str) -> DatabaseConfig {
        let words = words.replace("ROOTS", self.roots.path().to_str().unwrap());
        DatabaseConfig::new(format!(
            "postgres://app:secret@{}/secure?{words}",
            self.address
        ))
    }

    /// Migrates and reads through a pool, and looks at the connections from outside.
    async fn is_encrypted(&self, config: &DatabaseConfig) -> bool {
        migrate(config).await.unwrap();
        let db = Db::new(config).unwrap();
        let mut tx = db.read(&Ctx::system("test")).await.unwrap();
        let query = diesel::sql_query(
            "select pg_backend_pid()::bigint as pid from subscription_plans limit 1",
        );
        let pid = query.get_result::<Backend>(&mut tx).await.unwrap().pid;
        let admin = self.server.superuser("eyemotion").await;
        let encrypted = "select ssl from pg_stat_ssl where pid = $1::bigint";
        admin.query_one(encrypted, &[&pid]).await.unwrap().get(0)
    }
}

#[derive(diesel::QueryableByName)]
struct Backend {
    #[diesel(sql_type = BigInt)]
    pid: i64,
}

/// Who connects afterwards meets the new configuration.
async fn reload(admin: &Client) {
    let row = admin
        .query_one("select pg_conf_load_time()::text", &[])
        .await
        .unwrap();
    admin
        .batch_execute("select pg_reload_conf()")
        .await
        .unwrap();
    let loaded = row.get::<_, String>(0);
    until(admin, &format!("select pg_conf_load_time() > '{loaded}'")).await;
}

/// Why neither a migration nor a query gets through. They must agree.
async fn refusal(config: &DatabaseConfig) -> String {
    let migrating = match migrate(config).await.unwrap_err() {
        MigrateError::Connect(error) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let querying = match Db::new(config) {
        Err(error @ ConnectError::Certificates(_)) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(db) => match db.read(&Ctx::system("test")).await {
            Err(DbError::Unavailable(error)) => error.to_string(),
            other => panic!("{:?}", other.map(drop)),
        },
    };
    assert!(querying.contains(&migrating), "{querying}\n{migrating}");
    migrating
}

async fn refused(config: &DatabaseConfig, expected: &str) {
    let said = refusal(config).await;
    assert!(said.contains(expected), "{said}");
}

#[tokio::test]
async fn a_server_with_a_certificate() {
    let server = TlsServer::with_certificate().await;
    let secure = |words: &str| server.named(NAME, "secure", words);

    refused(&secure("sslmode=disable"), "no encryption").await;
    let plain = server.named(NAME, "either", "sslmode=disable");
    assert!(!server.is_encrypted(&plain).await);
    for words in [
        "",
        "sslmode=prefer",
        "sslmode=require",
        "sslmode=verify-ca sslrootcert=ROOTS/root.pem",
        "sslmode=verify-full sslrootcert=ROOTS/root.pem",
    ] {
        assert!(server.is_encrypted(&secure(words)).await, "{words}");
    }
    // By the address, which the certificate names too, and in the form of a URL.
    let by_address = server.url("sslmode=verify-full&sslrootcert=ROOTS/root.pem");
    assert!(server.is_encrypted(&by_address).await);
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_refused() {
    let server = TlsServer::with_certificate().await;
    let named = |name: &str, words: &str| server.named(name, "secure", words);

    // Neither mode that looks at no certificate cares for the name; verify-ca neither.
    for words in [
        "sslmode=require",
        "sslmode=verify-ca sslrootcert=ROOTS/root.pem",
    ] {
        assert!(
            server.is_encrypted(&named("other.example", words)).await,
            "{words}"
        );
    }
    let words = "sslmode=verify-full sslrootcert=ROOTS/root.pem";
    refused(
        &named("other.example", words),
        "not valid for name \"other.example\"",
    )
    .await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let words = format!("sslmode={mode} sslrootcert=ROOTS/other.pem");
        refused(&named(NAME, &words), "invalid peer certificate").await;
    }
    // The system's authorities have not signed it.
    for words in ["sslmode=verify-full", "sslrootcert=system"] {
        let said = refusal(&named(NAME, words)).await;
        assert!(said.contains("certificate"), "{said}");
    }
}

#[tokio::test]
async fn a_root_certificate_that_cannot_be_read_is_named() {
    let roots = tempfile::tempdir().unwrap();
    let config = |file: &str| {
        let path = roots.path().join(file);
        DatabaseConfig::new(format!(
            "host=h sslmode=verify-ca sslrootcert={}",
            path.display()
        ))
    };
    refused(&config("missing.pem"), "missing.pem: ").await;
    fs::write(roots.path().join("empty.pem"), "no certificate").unwrap();
    refused(&config("empty.pem"), "empty.pem: holds no certificate").await;
}

#[tokio::test]
async fn a_certificate_that_signs_itself_may_be_its_own_root() {
    let server = TlsServer::self_signed().await;
    let named = |name: &str, mode: &str| {
        let words = format!("sslmode={mode} sslrootcert=ROOTS/root.pem");
        server.named(name, "secure", &words)
    };
    assert!(server.is_encrypted(&named(NAME, "verify-full")).await);
    assert!(
        server
            .is_encrypted(&named("other.example", "verify-ca"))
            .await
    );
    refused(&named("other.example", "verify-full"), "not valid for name").await;
    fs::write(server.root("root.pem"), authority().pem()).unwrap();
    refused(&named(NAME, "verify-ca"), "invalid peer certificate").await;
}

#[tokio::test]
async fn a_server_without_a_certificate() {
    let server = TlsServer::start().await;
    let either = |words: &str| server.named(NAME, "either", words);
    assert!(!server.is_encrypted(&either("sslmode=prefer")).await);
    refused(&either("sslmode=require"), "server does not support TLS").await;
    refused(
        &server.named(NAME, "secure", "sslmode=prefer"),
        "no encryption",
    )
    .await;
}

/// Something that takes connections and says nothing, behind a broken load balancer say.
#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://app@{}/secure", mute.local_addr().unwrap());
    let config = DatabaseConfig::new(url);
    let error = migrate(&config).await.unwrap_err();
    assert!(
        matches!(error, MigrateError::Connect(ConnectError::Silent)),
        "{error:?}"
    );
    let db = Db::new(&config).unwrap();
    let error = db.read(&Ctx::system("test")).await.map(drop).unwrap_err();
    assert!(matches!(error, DbError::Unavailable(_)), "{error:?}");
}
