//! An open loop: what is to happen when is decided by the clock alone, however long it takes.

use std::time::{Duration, Instant};

use tokio::time::{Instant as TokioInstant, sleep_until};

use crate::wait::go_on;

/// Does `step` `rate` times a second for `length`, and says by how much it was late at most. What is
/// late is done at once.
pub(crate) async fn at_rate(
    rate: u32,
    length: Duration,
    mut step: impl AsyncFnMut() -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let total = (f64::from(rate) * length.as_secs_f64()) as u32;
    let began = Instant::now();
    let mut latest = Duration::ZERO;
    for number in 0..total {
        let due = began + Duration::from_secs_f64(f64::from(number) / f64::from(rate));
        let late = Instant::now().saturating_duration_since(due);
        if late.is_zero() {
            // The timer goes by milliseconds: what falls due in the meantime follows without a pause.
            sleep_until(TokioInstant::from_std(due)).await;
            go_on()?;
        }
        latest = latest.max(late);
        step().await?;
    }
    Ok(latest)
}
