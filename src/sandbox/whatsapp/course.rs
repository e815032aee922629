//! What becomes of an accepted message: the receipts it gets, in which order and how often.
//!
//! Faults are weighed once, when the message is accepted, so that its whole course is settled
//! before the answer goes out.

use std::time::Duration;

use tokio::sync::oneshot;

use super::WhatsappAccount;
use super::event::{self, Citizen, Receipt};
use super::refusal::late_error;
use crate::domain::clock::Timestamp;
use crate::sandbox::fault::FaultKind;
use crate::sandbox::{Mark, Memory, Sandbox};

/// How long an answer waits for a receipt that is to come before it.
const EARLY: Duration = Duration::from_secs(10);

/// How the request is answered.
#[derive(Clone, Default)]
pub(super) struct Ending {
    pub(super) wait: Option<Duration>,
    pub(super) hangs_up: bool,
    pub(super) status: Option<u16>,
}

/// One receipt to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Sent,
    Delivered,
    Read,
    Failed(u32),
}

impl Step {
    const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }

    const fn mark(self) -> Mark {
        match self {
            Self::Sent => Mark::Sent,
            Self::Delivered => Mark::Delivered,
            Self::Read => Mark::Read,
            Self::Failed(_) => Mark::Failed,
        }
    }
}

/// What is known of a message when it is accepted.
pub(super) struct Planned {
    pub(super) message_id: String,
    pub(super) number: String,
    pub(super) is_by_number: bool,
    pub(super) echo: Option<String>,
    pub(super) template_category: Option<String>,
    pub(super) in_window: bool,
    pub(super) auto_read: bool,
}

/// An accepted message and everything that will happen to it.
pub(super) struct Course {
    pub(super) message_id: String,
    pub(super) number: String,
    pub(super) is_by_number: bool,
    pub(super) template_category: Option<String>,
    pub(super) ending: Ending,
    echo: Option<String>,
    in_window: bool,
    steps: Vec<Step>,
    starts_early: bool,
}

impl Course {
    /// Weighs the faults in force for this phone.
    pub(super) fn plan(
        memory: &mut Memory,
        owner: &[&str],
        now: Timestamp,
        planned: Planned,
    ) -> Self {
        let mut strike = |kind| memory.faults.strike(kind, owner, now);
        let ending = Ending {
            wait: strike(FaultKind::Slow).map(|f| Duration::from_secs(f.seconds_or(30))),
            hangs_up: strike(FaultKind::HangUp).is_some(),
            status: strike(FaultKind::ErrorAfterAccept).map(|f| f.status.unwrap_or(500)),
        };
        let mut steps = vec![Step::Sent, Step::Delivered];
        if planned.auto_read {
            steps.push(Step::Read);
        }
        if strike(FaultKind::SkipDelivered).is_some() {
            steps = vec![Step::Sent, Step::Read];
        }
        if let Some(fault) = strike(FaultKind::Fail) {
            steps = vec![Step::Failed(fault.code.unwrap_or(131_049))];
        }
        if strike(FaultKind::ReorderStatus).is_some() {
            steps.reverse();
        }
        if strike(FaultKind::DuplicateStatus).is_some() {
            steps = steps.into_iter().flat_map(|step| [step, step]).collect();
        }
        if strike(FaultKind::Silent).is_some() {
            steps.clear();
        }
        Self {
            starts_early: strike(FaultKind::EarlyStatus).is_some() && !steps.is_empty(),
            message_id: planned.message_id,
            number: planned.number,
            is_by_number: planned.is_by_number,
            template_category: planned.template_category,
            ending,
            echo: planned.echo,
            in_window: planned.in_window,
            steps,
        }
    }

    /// Receipts that carry a price: `sent`, and the first of the two that follow it.
    fn is_priced(&self, step: Step) -> bool {
        match step {
            Step::Sent | Step::Delivered => true,
            Step::Read => !self.steps.contains(&Step::Delivered),
            Step::Failed(_) => false,
        }
    }
}

/// Leaves the receipts to the queue. When the first is to come before the answer, returns only
/// after it was taken.
pub(super) async fn start(sandbox: &Sandbox, account: &WhatsappAccount, course: Course) {
    let (first, first_is_out) = oneshot::channel();
    let starts_early = course.starts_early;
    let (own, account) = (sandbox.clone(), account.clone());
    sandbox.later(async move {
        let mut first = Some(first);
        for step in &course.steps {
            if !(course.starts_early && first.is_some()) {
                own.pause(own.0.settings.pace).await;
            }
            take(&own, &account, &course, *step).await;
            if let Some(first) = first.take() {
                // Nobody listens unless the receipt was to come early.
                let _ = first.send(());
            }
        }
    });
    if starts_early {
        // Past that time, or at shutdown, the answer goes out first after all.
        let _ = tokio::time::timeout(EARLY, first_is_out).await;
    }
}

async fn take(sandbox: &Sandbox, account: &WhatsappAccount, course: &Course, step: Step) {
    let at = sandbox.now();
    let error_code = match step {
        Step::Failed(code) => Some(code),
        _ => None,
    };
    let id = course.message_id.as_str();
    sandbox.change(|memory| memory.phones.mark(&course.number, id, step.mark(), error_code));
    let pricing = course
        .is_priced(step)
        .then(|| event::pricing(course.template_category.as_deref(), course.in_window, at));
    let receipt = Receipt {
        id,
        status: step.word(),
        at,
        echo: course.echo.as_deref(),
        is_by_number: course.is_by_number,
        pricing,
        errors: error_code.map(late_error),
    };
    let Some(citizen) = citizen(sandbox, &course.number) else { return };
    event::deliver(sandbox, account, event::receipt(account, &citizen, receipt)).await;
}

/// The owner of a phone as businesses see them now; None when the phone is gone.
pub(super) fn citizen(sandbox: &Sandbox, number: &str) -> Option<Citizen> {
    let now = sandbox.now();
    sandbox.change(|memory| {
        let user_id = memory.phones.get(number)?.user_id.clone();
        let hides = memory.faults.strike(FaultKind::HideNumber, &[number, user_id.as_str()], now);
        let phone = memory.phones.get(number)?;
        Some(Citizen::of(phone, hides.is_some()))
    })
}

/// The receipts of messages that were opened on the screen.
pub(super) async fn tell_read(
    sandbox: &Sandbox,
    account: &WhatsappAccount,
    number: &str,
    opened: (String, Option<String>, bool),
) {
    let (id, echo, is_by_number) = opened;
    let receipt = Receipt {
        id: &id,
        status: Step::Read.word(),
        at: sandbox.now(),
        echo: echo.as_deref(),
        is_by_number,
        pricing: None,
        errors: None,
    };
    let Some(citizen) = citizen(sandbox, number) else { return };
    event::deliver(sandbox, account, event::receipt(account, &citizen, receipt)).await;
}
