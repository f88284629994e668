//! From a template and its data to a mail's subject and its two parts.

use crate::data::presentable;
use crate::template::TEMPLATES;
use minijinja::{Environment, Value, context};
use serde::Deserialize;
use serde_json::Map;
use std::collections::BTreeMap;

/// For readers who have not chosen, and for languages that there are no texts in.
pub(crate) const DEFAULT_LOCALE: &str = "en";

const LOCALES: [(&str, &str); 2] = [
    (DEFAULT_LOCALE, include_str!("../templates/en.toml")),
    ("th", include_str!("../templates/th.toml")),
];

/// Both parts of each piece of text: the suffix decides whether values are escaped.
const FORMS: [(&str, &str); 2] = [
    ("txt", include_str!("../templates/layout.txt")),
    ("html", include_str!("../templates/layout.html")),
];

/// A mail in its reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without anything that a person has written.
    pub subject: String,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A text is missing or cannot be read: a mistake of ours.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// There is no such template.
    #[error("there is no mail template {0:?}")]
    NoTemplate(String),
    /// The texts of a language cannot be read.
    #[error("the mails in {locale:?} cannot be read")]
    Texts {
        /// Which language.
        locale: &'static str,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A template is wrong.
    #[error("a mail template is wrong")]
    Template(#[from] minijinja::Error),
}

/// The texts of one language.
#[derive(Deserialize)]
struct Texts {
    common: Common,
    #[serde(flatten)]
    mails: BTreeMap<String, Text>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Common {
    greeting: String,
    time: String,
    device: String,
    ip: String,
    signature: String,
    footer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    subject: String,
    body: Vec<Part>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Text(String),
    Notice(String),
    Button(String),
    Code(String),
    Details,
}

impl Part {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Notice(_) => "notice",
            Self::Button(_) => "button",
            Self::Code(_) => "code",
            Self::Details => "details",
        }
    }
}

/// All mails in all languages. Their texts are compiled when a mail wants them: kept compiled, the
/// few hundred of them would take 2 MB.
pub struct Renderer {
    templates: Environment<'static>,
    texts: BTreeMap<&'static str, Texts>,
}

impl Renderer {
    /// Reads what is embedded.
    ///
    /// # Errors
    /// A text that is missing or wrong, which a test excludes.
    pub fn new() -> Result<Self, RenderError> {
        let mut templates = Environment::new();
        let mut texts = BTreeMap::new();
        for (form, layout) in FORMS {
            templates.add_template(layout_name(form), layout)?;
        }
        for (locale, source) in LOCALES {
            let read: Texts = toml::from_str(source).map_err(|source| RenderError::Texts {
                locale,
                source: Box::new(source),
            })?;
            for template in TEMPLATES {
                text_of(&read, template.name)?;
            }
            texts.insert(locale, read);
        }
        Ok(Self { templates, texts })
    }

    /// Renders a mail in the reader's language (a BCP 47 tag; the primary one counts).
    ///
    /// # Errors
    /// An unknown template.
    pub fn render(
        &self,
        template: &str,
        locale: &str,
        data: &Map<String, serde_json::Value>,
    ) -> Result<Rendered, RenderError> {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let (locale, texts) = self
            .texts
            .get_key_value(language)
            .or_else(|| self.texts.get_key_value(DEFAULT_LOCALE))
            .ok_or_else(|| RenderError::NoTemplate(template.to_owned()))?;
        let text = text_of(texts, template)?;
        let data = presentable(data);
        let render = |form| self.form(locale, text, &texts.common, &data, form);
        Ok(Rendered {
            subject: text.subject.clone(),
            text: render("txt")?,
            html: render("html")?,
        })
    }

    fn form(
        &self,
        locale: &str,
        text: &Text,
        common: &Common,
        data: &BTreeMap<String, String>,
        form: &str,
    ) -> Result<String, RenderError> {
        let values = Value::from(data.clone());
        // By the name's suffix values are escaped as this form demands.
        let name = format!("{locale}.{form}");
        let fill = |source: &str| -> Result<Value, minijinja::Error> {
            let filled = self
                .templates
                .render_named_str(&name, source, values.clone())?;
            // Its values have been escaped as this form demands.
            Ok(Value::from_safe_string(filled.trim().to_owned()))
        };
        let known = |member: &str| data.contains_key(member);
        let mut parts = Vec::new();
        for part in &text.body {
            match part {
                Part::Button(_) if !known("link") => {}
                Part::Code(_) if !known("code") => {}
                Part::Details => {
                    let lines = details(common, data);
                    if !lines.is_empty() {
                        parts.push(context! { kind => part.kind(), lines });
                    }
                }
                Part::Text(source)
                | Part::Notice(source)
                | Part::Button(source)
                | Part::Code(source) => {
                    let text = fill(source)?;
                    if text.as_str().is_some_and(|text| !text.is_empty()) {
                        parts.push(context! { kind => part.kind(), text });
                    }
                }
            }
        }
        let greeting = fill(&common.greeting)?;
        let layout = self.templates.get_template(layout_name(form))?;
        Ok(layout.render(context! {
            locale,
            subject => text.subject.as_str(),
            greeting,
            parts,
            link => data.get("link"),
            code => data.get("code"),
            signature => common.signature.as_str(),
            footer => common.footer.as_str(),
        })?)
    }
}

fn text_of<'a>(texts: &'a Texts, template: &str) -> Result<&'a Text, RenderError> {
    let text = texts.mails.get(template);
    text.ok_or_else(|| RenderError::NoTemplate(template.to_owned()))
}

fn details(common: &Common, data: &BTreeMap<String, String>) -> Vec<Value> {
    let lines = [
        ("at", &common.time),
        ("device", &common.device),
        ("ip", &common.ip),
    ];
    let known = lines.into_iter().filter_map(|(member, label)| {
        let value = data.get(member)?;
        Some(context! { label, value })
    });
    known.collect()
}

fn layout_name(form: &str) -> &'static str {
    if form == "html" {
        "layout.html"
    } else {
        "layout.txt"
    }
}
