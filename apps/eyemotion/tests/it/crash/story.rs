//! A client that keeps trying, whatever happens to the server.

use super::machine::Machine;
use crate::person::Person;
use eyemotion_testkit::Answer;
use image::{ImageFormat, RgbImage};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Cursor;

/// What a client does about an upload that broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    SameUrl,
    NewUrl,
}

pub(crate) struct Story {
    point: &'static str,
    machine: Machine,
    person: Person,
    content: Vec<u8>,
    /// What must be there at the end.
    ready: BTreeSet<String>,
}

impl Story {
    /// Sets out with a server that will die at `point`.
    pub(crate) async fn until_killed_at(point: &'static str) -> Self {
        let machine = Machine::dying_at(point).await;
        let person = Person::new(machine.base(), "person@example.com").await;
        Self {
            point,
            machine,
            person,
            content: picture(),
            ready: BTreeSet::new(),
        }
    }

    /// Uploads a picture until it is ready.
    pub(crate) async fn ready(mut self, retry: Retry) -> Self {
        let mut key = "take-1";
        let mut grant = self.grant(key).await;
        let mut deaths = self.machine.deaths;
        let answer = self.put(&grant).await;
        if answer.status != 200 {
            // All bytes had arrived, only the answer was lost.
            assert_eq!(
                answer.problem(409),
                "upload_already_completed",
                "{}",
                self.point
            );
        }
        let begins_anew = retry == Retry::NewUrl && self.machine.deaths > deaths;
        if begins_anew {
            // The client that came back has forgotten the first URL and begins anew.
            deaths = self.machine.deaths;
            key = "take-2";
            grant = self.grant(key).await;
            assert_eq!(self.put(&grant).await.status, 200, "{}", self.point);
            assert_eq!(self.machine.deaths, deaths, "it dies once");
        }
        let file = grant["fileId"].as_str().unwrap().to_owned();
        for _ in 0..2 {
            let path = format!("/files/{file}/confirm");
            let confirm = |person: &Person| person.client.request(Method::POST, &path);
            let answer = self.machine.answer(&mut self.person, confirm).await;
            // Acknowledged bytes are there, and however often it is confirmed, it costs once. What
            // the upload that nobody finishes would cost is held until its time is over.
            let left = if begins_anew { 98 } else { 99 };
            assert_eq!(
                answer.expect(200)["remainingCredits"],
                left,
                "{}",
                self.point
            );
        }
        self.machine.at_rest(&mut self.person).await;
        let found = self.person.file(&file).await;
        assert_eq!(
            found["processingStatus"], "ready",
            "{}: {found}",
            self.point
        );
        assert_eq!(found["thumbnailStatus"], "ready", "{}: {found}", self.point);
        assert_eq!(found["resolution"], "400x300", "{}: {found}", self.point);
        assert_eq!(
            self.person.download(&file).await.bytes,
            self.content,
            "{}",
            self.point
        );
        // The same key still gives the same leave.
        assert_eq!(
            self.grant(key).await["fileId"],
            file.as_str(),
            "{}",
            self.point
        );
        self.ready.insert(file);
        self
    }

    /// Deletes what is ready for good.
    pub(crate) async fn purged(mut self) -> Self {
        for file in std::mem::take(&mut self.ready) {
            let path = format!("/files/{file}");
            // Into the trash, out of the trash. The second may have worked without an answer.
            for expected in [&[200][..], &[200, 404][..]] {
                let delete = |person: &Person| person.client.request(Method::DELETE, &path);
                let answer = self.machine.answer(&mut self.person, delete).await;
                assert!(
                    expected.contains(&answer.status),
                    "{}: {answer:?}",
                    self.point
                );
            }
        }
        self.machine.at_rest(&mut self.person).await;
        let rows = self
            .machine
            .count("select count(*) from project_files")
            .await;
        assert_eq!(rows, 0, "{}", self.point);
        self
    }

    /// After two days nothing but what is ready is left, and every sum agrees.
    pub(crate) async fn swept(mut self) {
        assert_eq!(self.machine.deaths, 1, "{} was never come to", self.point);
        self.no_drift().await;
        self.machine.two_days_pass(&mut self.person).await;
        self.no_drift().await;
        assert_eq!(
            self.machine.stored_objects(),
            self.machine.known_objects().await,
            "{}",
            self.point
        );
        let path = format!("/projects/{}/files", self.person.project);
        let listed = self.person.client.get(&path).await.expect(200);
        let listed = listed["files"].as_array().unwrap().iter();
        let listed: BTreeSet<String> = listed
            .map(|file| file["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, self.ready, "{}", self.point);
        let reserved = self
            .machine
            .count("select sum(reserved_bytes)::bigint from storage_quotas")
            .await;
        assert_eq!(reserved, 0, "{}", self.point);
        self.machine.stop().await;
    }

    async fn no_drift(&self) {
        for sums in [
            "storage_quota_drift()",
            "project_counter_drift()",
            "credit_ledger_drift()",
        ] {
            let drift = self
                .machine
                .count(&format!("select count(*) from {sums}"))
                .await;
            assert_eq!(drift, 0, "{}: {sums}", self.point);
        }
    }

    async fn grant(&mut self, key: &str) -> Value {
        let body = self
            .person
            .declaration("still.png", "image/png", self.content.len());
        let ask = |person: &Person| {
            let request = person.client.request(Method::POST, "/files/upload-url");
            request.header("idempotency-key", key).json(&body)
        };
        self.machine.answer(&mut self.person, ask).await.expect(201)
    }

    async fn put(&mut self, grant: &Value) -> Answer {
        let content = self.content.clone();
        self.machine
            .answer(&mut self.person, |person| {
                person.put(grant, content.clone())
            })
            .await
    }
}

/// A picture of several network packets.
fn picture() -> Vec<u8> {
    let mut noise = 1_u32;
    let picture = RgbImage::from_fn(400, 300, |_, _| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, a, b, c] = noise.to_le_bytes();
        image::Rgb([a, b, c])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}
