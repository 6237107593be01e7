//! What a crowd reloads is read once a second: the first page of the concerts, and the counts behind `/metrics`.

use std::time::Duration;

use domain::concert::{Draft, NewConcert, ScheduleDraft, SeatGroup};
use domain::ports::LoadCommand;
use domain::{LocalTime, Money, QueueName, UserId};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::shop::Shop;

const ALMOST: Duration = Duration::from_micros(999_999);
const INSTANT: Duration = Duration::from_micros(1);

/// Loads a concert behind the API's back, as another server would.
async fn made_elsewhere(shop: &Shop) {
    let starts_at = LocalTime::parse("2126-12-24T19:30:00+09:00").unwrap();
    let seats = vec![SeatGroup::Count(1, Money::parse("1").unwrap())];
    let draft = Draft::of("Elsewhere", QueueName::main(), vec![ScheduleDraft::of(starts_at, seats)]);
    let command = LoadCommand { concert: NewConcert::plan(&draft).unwrap(), key: None };
    shop.app.create_concert(&command).await.unwrap();
}

async fn listed(shop: &Shop, query: &str) -> usize {
    let page = shop.get(&format!("/api/v1/concerts{query}"), "").await.expect(200).json();
    page["items"].as_array().unwrap().len()
}

#[actix_web::test]
async fn the_first_page_of_concerts_is_shared_for_a_second() {
    let shop = Shop::new().await;
    assert_eq!(listed(&shop, "").await, 0);
    made_elsewhere(&shop).await;
    shop.clock.advance(ALMOST);
    assert_eq!((listed(&shop, "").await, listed(&shop, "?limit=50").await), (0, 0));
    assert_eq!(listed(&shop, "?limit=49").await, 1, "any other page is read for its caller");
    shop.clock.advance(INSTANT);
    assert_eq!(listed(&shop, "").await, 1);
}

/// The clock stands still: nothing here is read anew because of its age.
#[actix_web::test]
async fn a_concert_made_here_shows_at_once() {
    let shop = Shop::new().await;
    for count in 0..3 {
        assert_eq!(listed(&shop, "").await, count);
        shop.concert("main", 1).await;
    }
}

#[actix_web::test]
async fn scrapes_share_the_counts_of_the_queues_for_a_second() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _installed = metrics::set_default_local_recorder(&recorder);
    let (shop, handle) = (Shop::new().await, recorder.handle());
    let shown = async |line: &str| {
        shop.get("/metrics", "").await.expect(200);
        handle.render().lines().any(|shown| shown == line)
    };
    let active = r#"usher_active{queue="main"} 1"#;
    assert!(!shown(active).await);
    shop.app.join(&QueueName::main(), &UserId::parse("alice").unwrap()).await.unwrap();
    shop.clock.advance(ALMOST);
    assert!(!shown(active).await);
    shop.clock.advance(INSTANT);
    assert!(shown(active).await);
    // A queue that was made here is there at once.
    shop.make_queue("new").await;
    assert!(shown(r#"usher_waiting{queue="new"} 0"#).await);
}
