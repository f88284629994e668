//! Every mail in every language, as it is read. `INSTA_UPDATE=always` writes the snapshots anew.

use eyemotion_mail::{Renderer, TEMPLATES};
use serde_json::{Map, Value, json};

const LOCALES: [&str; 2] = ["en", "th"];

fn sample() -> Map<String, Value> {
    let data = json!({
        "name": "สมชาย <ใจดี>",
        "link": "https://eyemotion.ai/go?token=abc&next=%2F",
        "code": "042137",
        "minutes": 10,
        "device": "Firefox on Linux",
        "ip": "203.0.113.7",
        "at": "2026-11-22T17:05:09Z",
        "email": "somchai+new@example.com",
        "provider": "github",
        "role": "super_admin",
        "days": 14,
        "amount": "299.00 THB",
        "item": "500 credits",
    });
    data.as_object().unwrap().clone()
}

#[test]
fn every_mail_reads_as_it_should() {
    let renderer = Renderer::new().unwrap();
    for template in TEMPLATES {
        for locale in LOCALES {
            let members = template.required.iter().chain(template.optional);
            let data = members
                .map(|member| ((*member).to_owned(), sample()[*member].clone()))
                .collect();
            let mail = renderer.render(template.name, locale, &data).unwrap();
            let text = format!(
                "Subject: {}\n\n{}\n=====\n{}",
                mail.subject, mail.text, mail.html
            );
            insta::assert_snapshot!(format!("{}.{locale}", template.name), text);
        }
    }
}

/// What is listed as shown is shown, so that nobody sends what nobody reads.
#[test]
fn every_member_is_shown() {
    let renderer = Renderer::new().unwrap();
    for template in TEMPLATES {
        for locale in LOCALES {
            for member in template.required.iter().chain(template.optional) {
                let whole = sample();
                let without: Map<_, _> = whole
                    .iter()
                    .filter(|(name, _)| name != member)
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                let render = |data| renderer.render(template.name, locale, data).unwrap();
                let (with, without) = (render(&whole), render(&without));
                assert_ne!(
                    with.text, without.text,
                    "{} {locale}: {member}",
                    template.name
                );
                assert_ne!(
                    with.html, without.html,
                    "{} {locale}: {member}",
                    template.name
                );
                assert_eq!(with.subject, without.subject);
            }
        }
    }
}

#[test]
fn a_mail_with_the_least_data_is_whole() {
    let renderer = Renderer::new().unwrap();
    for template in TEMPLATES {
        for locale in LOCALES {
            let data = template.required.iter();
            let data = data
                .map(|member| ((*member).to_owned(), sample()[*member].clone()))
                .collect();
            let mail = renderer.render(template.name, locale, &data).unwrap();
            for text in [&mail.text, &mail.html] {
                for hole in ["None", "undefined", "{{", "{%", "()", ": \n\n\n"] {
                    assert!(
                        !text.contains(hole),
                        "{} {locale}: {hole:?} in {text}",
                        template.name
                    );
                }
            }
        }
    }
}

#[test]
fn other_languages_are_answered_in_english() {
    let renderer = Renderer::new().unwrap();
    let subject = |locale| {
        renderer
            .render("new_sign_in", locale, &Map::new())
            .unwrap()
            .subject
    };
    assert_eq!(subject("fr"), subject("en"));
    assert_eq!(subject("th-TH"), subject("th"));
    assert_ne!(subject("th"), subject("en"));
    assert!(renderer.render("no_such_mail", "en", &Map::new()).is_err());
}
