//! How fast a queue admits: looked at and changed by its operator (R3).

use domain::ports::QueueReport;
use domain::{PolicyChange, QueueName};

use crate::{App, Failure};

impl App {
    /// The policy and counts of a queue.
    pub async fn queue_report(&self, queue: &QueueName) -> Result<QueueReport, Failure> {
        let number = self.queue_number(queue)?;
        Ok(self.ports.queues.report(number).await??)
    }

    /// Changes what `change` names of a queue's policy.
    pub async fn change_policy(&self, queue: &QueueName, change: &PolicyChange) -> Result<QueueReport, Failure> {
        let number = self.queue_number(queue)?;
        Ok(self.ports.queues.change_policy(number, change).await??)
    }
}
