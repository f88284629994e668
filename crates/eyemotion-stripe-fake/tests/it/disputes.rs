//! Money that goes back.

use crate::stage::{Stage, id};
use serde_json::json;

#[tokio::test]
async fn no_more_goes_back_than_came() {
    let stage = Stage::new();
    let intent = stage.credits(5_000).await["payment_intent"]
        .as_str()
        .unwrap()
        .to_owned();
    let charge = stage.object(&intent)["latest_charge"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.news();
    stage
        .post(
            "refunds",
            &[("payment_intent", &intent), ("amount", "2000")],
        )
        .await;
    assert_eq!(
        stage.news(),
        [
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "charge.refund.updated"
        ]
    );
    let told = stage
        .refused("refunds", &[("charge", &charge), ("amount", "3001")])
        .await;
    assert_eq!(told.body["error"]["param"], "amount");
    let rest = stage.post("refunds", &[("charge", &charge)]).await;
    assert_eq!(rest["amount"], 3_000);
    let told = stage.refused("refunds", &[("charge", &charge)]).await;
    assert_eq!(told.code(), "charge_already_refunded");
    assert_eq!(stage.object(&charge)["refunded"], true);
    stage.fake.fail_refund(&id(&rest)).unwrap();
    assert_eq!(stage.object(&charge)["amount_refunded"], 2_000);
    assert!(stage.news().contains(&"refund.failed".to_owned()));
}

#[tokio::test]
async fn a_dispute_moves_the_money_and_back() {
    for (won, last, balance) in [
        (true, "charge.dispute.closed", 2),
        (false, "charge.dispute.closed", 1),
    ] {
        let stage = Stage::new();
        let intent = stage.credits(5_000).await["payment_intent"]
            .as_str()
            .unwrap()
            .to_owned();
        let charge = stage.object(&intent)["latest_charge"]
            .as_str()
            .unwrap()
            .to_owned();
        stage.news();
        let dispute = stage.fake.dispute(&charge, None).unwrap();
        assert_eq!(
            stage.news(),
            ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
        );
        let told = stage.refused("refunds", &[("charge", &charge)]).await;
        assert_eq!(told.code(), "charge_disputed");
        let closed = stage.fake.close_dispute(&id(&dispute), won).unwrap();
        assert_eq!(closed["status"], if won { "won" } else { "lost" });
        assert_eq!(
            closed["balance_transactions"].as_array().unwrap().len(),
            balance
        );
        assert_eq!(stage.news().pop().unwrap(), last);
        stage.fake.close_dispute(&id(&dispute), won).unwrap_err();
    }
}

#[tokio::test]
async fn an_issuer_warns_of_a_charge() {
    let stage = Stage::new();
    let intent = stage.credits(5_000).await["payment_intent"]
        .as_str()
        .unwrap()
        .to_owned();
    let charge = stage.object(&intent)["latest_charge"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.news();
    let warning = stage.fake.early_fraud_warning(&charge).unwrap();
    assert_eq!(stage.news(), ["radar.early_fraud_warning.created"]);
    let told = stage
        .get("radar/early_fraud_warnings", &[("charge", &charge)])
        .await;
    assert_eq!(told["data"], json!([warning]));
}
