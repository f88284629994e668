//! Products, prices and what is refused of them.

use crate::stage::Stage;
use serde_json::json;

#[tokio::test]
async fn a_lookup_key_moves_only_when_it_is_asked_to() {
    let stage = Stage::new();
    let mut form = vec![
        ("currency", "thb"),
        ("unit_amount", "29900"),
        ("lookup_key", "creator:month:thb"),
        ("product_data[name]", "Creator"),
    ];
    let old = stage.post("prices", &form).await;
    stage.refused("prices", &form).await;
    form.push(("transfer_lookup_key", "true"));
    let new = stage.post("prices", &form).await;
    assert_eq!(
        stage.object(old["id"].as_str().unwrap())["lookup_key"],
        json!(null)
    );
    let found = stage
        .get("prices", &[("lookup_keys[]", "creator:month:thb")])
        .await;
    assert_eq!(found["data"], json!([new]));
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let stage = Stage::new();
    let product = stage.post("products", &[("name", "A plan")]).await;
    let product = product["id"].as_str().unwrap();
    let good = [
        ("currency", "thb"),
        ("unit_amount", "1000"),
        ("product", product),
    ];
    let cases = [
        ("unit_amount", "999", "amount_too_small", "unit_amount"),
        (
            "unit_amount",
            "-1",
            "parameter_invalid_integer",
            "unit_amount",
        ),
        (
            "unit_amount",
            "10.5",
            "parameter_invalid_integer",
            "unit_amount",
        ),
        ("unit_amount", "", "parameter_missing", "unit_amount"),
        ("product", "prod_none", "resource_missing", "product"),
        (
            "recurring[interval_count]",
            "1",
            "parameter_missing",
            "recurring[interval]",
        ),
        (
            "recurring[every]",
            "month",
            "parameter_unknown",
            "recurring[every]",
        ),
    ];
    stage.post("prices", &good).await;
    for (key, value, code, param) in cases {
        let mut form: Vec<_> = good
            .iter()
            .copied()
            .filter(|(name, _)| *name != key)
            .collect();
        form.push((key, value));
        let told = stage.refused("prices", &form).await;
        assert_eq!(
            (told.code(), &told.body["error"]["param"]),
            (code, &param.into())
        );
    }
    assert_eq!(stage.fake.counts()["price"], 1);
}

#[tokio::test]
async fn lists_have_pages_in_both_directions() {
    let stage = Stage::new();
    for name in ["1", "2", "3", "4", "5"] {
        stage.post("customers", &[("name", name)]).await;
    }
    let names = |page: &serde_json::Value| {
        let data = page["data"].as_array().unwrap().iter();
        data.map(|it| it["name"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    let first = stage.get("customers", &[("limit", "2")]).await;
    assert_eq!(
        (names(&first), &first["has_more"]),
        ("54".to_owned(), &json!(true))
    );
    let last = first["data"][1]["id"].as_str().unwrap();
    let next = stage
        .get("customers", &[("limit", "3"), ("starting_after", last)])
        .await;
    assert_eq!(
        (names(&next), &next["has_more"]),
        ("321".to_owned(), &json!(false))
    );
    let end = next["data"][2]["id"].as_str().unwrap();
    let back = stage
        .get("customers", &[("limit", "3"), ("ending_before", end)])
        .await;
    assert_eq!(
        (names(&back), &back["has_more"]),
        ("432".to_owned(), &json!(true))
    );
    let told = stage
        .tell("GET", "customers", &[("limit", "101")], None)
        .await;
    assert_eq!(told.status, 400);
}
