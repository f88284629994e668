//! The pages' text.

use actix_web::HttpResponse;
use actix_web::http::header;
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:26rem;margin:12vh auto;padding:0 1rem}\
button,input{font:inherit;padding:.6rem .8rem;width:100%;box-sizing:border-box;margin-top:.8rem}";

/// A page that a mailed link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Confirm,
    Reset,
    ChangeEmail,
    MagicLink,
    KeepAccount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Thai,
}

struct Words {
    title: &'static str,
    button: &'static str,
    done: &'static str,
}

impl Page {
    pub(super) const ALL: [Self; 5] = [
        Self::Confirm,
        Self::Reset,
        Self::ChangeEmail,
        Self::MagicLink,
        Self::KeepAccount,
    ];

    /// As the mails' links name it.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Confirm => "/auth/confirm",
            Self::Reset => "/auth/reset",
            Self::ChangeEmail => "/auth/change-email",
            Self::MagicLink => "/auth/magic-link",
            Self::KeepAccount => "/auth/keep-account",
        }
    }

    const fn words(self, language: Language) -> Words {
        let (title, button, done) = match (self, language) {
            (Self::Confirm, Language::English) => (
                "Confirm your e-mail address",
                "Confirm",
                "Your address is confirmed. You can sign in now.",
            ),
            (Self::Confirm, Language::Thai) => {
                ("ยืนยันอีเมลของคุณ", "ยืนยัน", "ยืนยันอีเมลแล้ว คุณเข้าสู่ระบบได้เลย")
            }
            (Self::Reset, Language::English) => (
                "Choose a new password",
                "Set password",
                "Your password is changed. Sign in with the new one.",
            ),
            (Self::Reset, Language::Thai) => (
                "ตั้งรหัสผ่านใหม่",
                "ตั้งรหัสผ่าน",
                "เปลี่ยนรหัสผ่านแล้ว โปรดเข้าสู่ระบบด้วยรหัสผ่านใหม่",
            ),
            (Self::ChangeEmail, Language::English) => (
                "Use this e-mail address",
                "Confirm",
                "Your account has its new address.",
            ),
            (Self::ChangeEmail, Language::Thai) => ("ใช้อีเมลนี้", "ยืนยัน", "บัญชีของคุณใช้อีเมลใหม่แล้ว"),
            (Self::MagicLink, Language::English) => (
                "Sign in",
                "",
                "Type the code from the mail where you sign in.",
            ),
            (Self::MagicLink, Language::Thai) => ("เข้าสู่ระบบ", "", "พิมพ์รหัสจากอีเมลในหน้าที่คุณเข้าสู่ระบบ"),
            (Self::KeepAccount, Language::English) => (
                "Keep your account",
                "Keep it",
                "Your account stays. You can sign in again.",
            ),
            (Self::KeepAccount, Language::Thai) => {
                ("เก็บบัญชีของคุณไว้", "เก็บไว้", "บัญชีของคุณยังอยู่ คุณเข้าสู่ระบบได้ตามเดิม")
            }
        };
        Words {
            title,
            button,
            done,
        }
    }
}

impl Language {
    const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Thai => "th",
        }
    }

    const fn over(self) -> &'static str {
        match self {
            Self::English => "This link has expired or has been used. Ask for another one.",
            Self::Thai => "ลิงก์นี้หมดอายุหรือถูกใช้แล้ว โปรดขอลิงก์ใหม่",
        }
    }

    pub(super) const fn bad_password(self) -> &'static str {
        match self {
            Self::English => "Use 8 to 256 characters that are not easily guessed.",
            Self::Thai => "ใช้ 8 ถึง 256 ตัวอักษรที่เดาได้ยาก",
        }
    }
}

/// The page with its button; `fault` is what was wrong the last time.
pub(super) fn form(
    page: Page,
    language: Language,
    token: &str,
    fault: Option<&str>,
) -> HttpResponse {
    let words = page.words(language);
    // Ours are made of these; whatever else a link holds is no token.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !token.chars().all(plain) || token.is_empty() {
        return over(page, language);
    }
    if page == Page::MagicLink {
        return done(page, language);
    }
    let fault = fault.map(|text| format!("<p>{text}</p>"));
    let password = if page == Page::Reset {
        "<input type=\"password\" name=\"password\" autocomplete=\"new-password\" required \
         minlength=\"8\" maxlength=\"256\" autofocus>"
    } else {
        ""
    };
    let body = format!(
        "{}<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"token\" \
         value=\"{token}\">{password}<button>{}</button></form>",
        fault.unwrap_or_default(),
        page.path(),
        words.button,
    );
    whole(&words, language, &body)
}

/// What the page's button did.
pub(super) fn done(page: Page, language: Language) -> HttpResponse {
    let words = page.words(language);
    whole(&words, language, &format!("<p>{}</p>", words.done))
}

/// The link is no longer good. Answered with 200: the edge makes every error a problem for programs.
pub(super) fn over(page: Page, language: Language) -> HttpResponse {
    let body = format!("<p>{}</p>", language.over());
    whole(&page.words(language), language, &body)
}

fn whole(words: &Words, language: Language, body: &str) -> HttpResponse {
    let style = BASE64.encode(digest(&SHA256, STYLE.as_bytes()).as_ref());
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let (lang, title) = (language.code(), words.title);
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .body(format!(
            "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
             <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
        ))
}
