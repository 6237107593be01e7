//! Waiting for what time or another process brings about.

use std::time::{Duration, Instant};

/// How long anything may take before a test gives it up. It bounds a failure; no test measures time with it, and a machine that is
/// twenty times as slow as ours is no failure.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Asks again and again until the answer is there.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "{what}: did not come within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
