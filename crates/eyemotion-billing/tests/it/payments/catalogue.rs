use super::till::Till;
use eyemotion_billing::{CatalogueChange, CatalogueError};
use eyemotion_core::Ctx;

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let till = Till::open().await;
    let (catalogue, ctx) = (till.catalogue(), Ctx::system("test"));
    let told = catalogue.sync(&ctx, true).await.unwrap();
    assert_eq!((told.len(), till.made("product")), (9, 0));
    let changes = catalogue.sync(&ctx, false).await.unwrap();
    assert_eq!(changes.len(), 9, "{changes:?}");
    let price = "price creator:month:thb: 299.00 THB, made";
    assert!(
        changes.iter().any(|it| it.to_string() == price),
        "{changes:?}"
    );
    let noted = "select count(*) from subscription_plans where stripe_price_id is not null";
    assert_eq!(till.count(noted).await, 3);
    let before = posts(&till);
    assert_eq!(catalogue.sync(&ctx, false).await.unwrap(), []);
    assert_eq!(posts(&till), before);
}

#[tokio::test]
async fn a_new_amount_is_a_new_price_and_the_old_one_is_archived() {
    let till = Till::open().await;
    let (catalogue, ctx) = (till.catalogue(), Ctx::system("test"));
    catalogue.sync(&ctx, false).await.unwrap();
    for (round, amount) in [35_000, 29_900].into_iter().enumerate() {
        let set = format!("update subscription_plans set price = {amount} where name = 'creator'");
        till.world.superuser.batch_execute(&set).await.unwrap();
        let changes = catalogue.sync(&ctx, false).await.unwrap();
        let sorts: Vec<_> = changes.iter().map(std::mem::discriminant).collect();
        let wanted = [
            CatalogueChange::PriceMade {
                lookup_key: String::new(),
                amount: String::new(),
            },
            CatalogueChange::PriceArchived(String::new()),
            CatalogueChange::PriceNoted(String::new()),
        ];
        let wanted: Vec<_> = wanted.iter().map(std::mem::discriminant).collect();
        assert_eq!(sorts, wanted);
        let prices = till.fake.objects("price");
        assert_eq!(prices.len(), 4 + round);
        let holders = prices
            .iter()
            .filter(|it| it["lookup_key"] == "creator:month:thb");
        let holders: Vec<_> = holders.collect();
        assert_eq!(holders.len(), 1);
        assert_eq!(holders[0]["unit_amount"], amount);
        assert_eq!(holders[0]["active"], true);
        assert_eq!(catalogue.sync(&ctx, false).await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_cannot_be_charged_is_refused_before_anything_is_written() {
    let till = Till::open().await;
    let set = "update subscription_plans set price = 999 where name = 'creator'";
    till.world.superuser.batch_execute(set).await.unwrap();
    let refused = till.catalogue().sync(&Ctx::system("test"), false).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, CatalogueError::TooCheap { .. }));
    assert!(refused.to_string().contains("10.00 THB"), "{refused}");
    assert_eq!(till.made("product"), 0);
}

fn posts(till: &Till) -> usize {
    let requests = till.fake.requests();
    requests.iter().filter(|it| it.method == "POST").count()
}
