//! What becomes of an accepted message, in Meta's words: its receipts, and the reads that follow.

use std::sync::Arc;

use super::WhatsappAccount;
use super::event::{self, Citizen, Receipt};
use super::refusal::late_error;
use crate::domain::clock::Timestamp;
use crate::sandbox::course::{Fate, Step};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::{Memory, Sandbox};

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
    pub(super) fate: Fate,
    echo: Option<String>,
    in_window: bool,
}

impl Course {
    /// Weighs the faults in force for this phone.
    pub(super) fn plan(
        memory: &mut Memory,
        owner: &[&str],
        now: Timestamp,
        planned: Planned,
    ) -> Self {
        let fate = Fate::weigh(memory, "whatsapp", owner, now, planned.auto_read);
        Self {
            message_id: planned.message_id,
            number: planned.number,
            is_by_number: planned.is_by_number,
            template_category: planned.template_category,
            echo: planned.echo,
            in_window: planned.in_window,
            fate,
        }
    }

    /// Receipts that carry a price: `sent`, and the first of the two that follow it.
    fn is_priced(&self, step: Step) -> bool {
        match step {
            Step::Sent | Step::Delivered => true,
            Step::Read => !self.fate.steps.contains(&Step::Delivered),
            Step::Failed { .. } => false,
        }
    }
}

/// Leaves the receipts to the queue. When the first is to come before the answer, returns only
/// after it was taken.
pub(super) async fn start(sandbox: &Sandbox, account: &WhatsappAccount, course: Course) {
    let (own, account) = (sandbox.clone(), account.clone());
    let (fate, course) = (course.fate.clone(), Arc::new(course));
    fate.start(sandbox, move |step| {
        let (own, account, course) = (own.clone(), account.clone(), Arc::clone(&course));
        async move { take(&own, &account, &course, step).await }
    })
    .await;
}

async fn take(sandbox: &Sandbox, account: &WhatsappAccount, course: &Course, step: Step) {
    let at = sandbox.now();
    let error_code = step.error_code(131_049);
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
        let hides = memory.faults.strike(
            FaultKind::HideNumber,
            "whatsapp",
            &[number, user_id.as_str()],
            now,
        );
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
