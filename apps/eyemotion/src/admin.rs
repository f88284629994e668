use crate::cli::AdminAction;
use crate::database::Database;
use crate::{Failure, output};
use eyemotion_auth::NewUser;
use eyemotion_core::{Ctx, UserRole};
use gateway::config::Settings;
use secrecy::SecretString;
use std::io::Read;

/// `admin create-user` and `admin promote`.
pub async fn run(settings: &Settings, action: AdminAction) -> Result<(), Failure> {
    let database = Database::open(settings).await?;
    let done = Box::pin(act(settings, &database, action)).await;
    database.close().await?;
    output::print(&done?)
}

async fn act(
    settings: &Settings,
    database: &Database,
    action: AdminAction,
) -> Result<String, Failure> {
    eyemotion_db::migrate(&database.config)
        .await
        .map_err(Failure::new)?;
    let accounts = gateway::accounts(settings, &database.config).map_err(Failure::new)?;
    let ctx = Ctx::system("cli");
    match action {
        AdminAction::CreateUser {
            email,
            full_name,
            role,
        } => {
            let role = parse_role(&role)?;
            let new = NewUser {
                email,
                password: read_password()?,
                full_name,
                company_name: None,
                industry: None,
                country: None,
                phone: None,
            };
            let made = accounts
                .create_user(&ctx, new, role)
                .await
                .map_err(explain)?;
            Ok(format!("{} is now a {role}: {}\n", made.email, made.id))
        }
        AdminAction::Promote { email, role } => {
            let role = parse_role(&role)?;
            let user = accounts
                .promote(&ctx, &email, role)
                .await
                .map_err(explain)?;
            Ok(format!("{email} is now a {role}: {user}\n"))
        }
    }
}

fn parse_role(text: &str) -> Result<UserRole, Failure> {
    text.parse()
        .map_err(|error| Failure::new(format!("{error}; it must be user, admin or super_admin")))
}

/// From standard input, so that it stands in no shell's history.
fn read_password() -> Result<SecretString, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(Failure::new)?;
    Ok(SecretString::from(text.trim_end_matches(['\n', '\r'])))
}

fn explain(error: eyemotion_auth::AuthError) -> Failure {
    let fields = eyemotion_core::Coded::field_errors(&error);
    let details: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", field.pointer, field.detail))
        .collect();
    if details.is_empty() {
        Failure::new(error)
    } else {
        Failure::new(details.join("; "))
    }
}
