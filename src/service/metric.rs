//! Counts and times for operators, in Prometheus' form. Labels are never personal.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::card::Recorded;
use super::send::Call;
use crate::channel::{Accepted, SendError};
use crate::domain::message::ReceiptKind;
use crate::store::message::Claimed;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    account: String,
    class: &'static str,
    outcome: &'static str,
    code: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SourceLabels {
    source: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct AccountLabels {
    account: String,
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SenderLabels {
    account: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct IntentLabels {
    intent: String,
}

/// The counters of one process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    call_seconds: Histogram,
    updates: Family<SourceLabels, Counter>,
    receipts: Family<AccountLabels, Counter>,
    intents: Family<IntentLabels, Counter>,
    loops: Family<SenderLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kabar");
        let calls = Family::default();
        let call_seconds = Histogram::new(exponential_buckets(0.005, 2.0, 13));
        let updates = Family::default();
        let receipts = Family::default();
        let intents = Family::default();
        registry.register("provider_calls", "Calls of providers by outcome", calls.clone());
        registry.register(
            "provider_call_seconds",
            "Duration of provider calls",
            call_seconds.clone(),
        );
        registry.register("card_updates", "Card updates by source and result", updates.clone());
        registry.register("receipts", "Receipts taken in", receipts.clone());
        registry.register("intents", "What citizens meant", intents.clone());
        let loops = Family::default();
        registry.register("loops_stopped", "Messages kept back as part of a loop", loops.clone());
        Self { registry, calls, call_seconds, updates, receipts, intents, loops }
    }
}

impl Metrics {
    /// A message was kept back as part of a loop.
    pub fn loop_stopped(&self, account: &str) {
        self.loops.get_or_create(&SenderLabels { account: account.to_owned() }).inc();
    }

    /// Notes one call of a provider.
    pub fn call(
        &self,
        account: &str,
        message: &Claimed,
        call: &Call,
        result: &Result<Accepted, SendError>,
    ) {
        let (outcome, code) = match result {
            Ok(_) => ("sent", String::new()),
            Err(error) => (error.word(), error.fault().code.clone()),
        };
        let class = message.class.as_str();
        self.calls
            .get_or_create(&CallLabels { account: account.to_owned(), class, outcome, code })
            .inc();
        self.call_seconds.observe(call.finished_at.since(call.started_at).as_secs_f64());
    }

    /// Notes items of a source.
    pub fn card_updates(&self, source: &str, results: &[Recorded]) {
        for result in results {
            let result = match result {
                Recorded::Accepted { outcome, .. } => outcome.as_str(),
                Recorded::Duplicate => "duplicate",
                Recorded::Rejected { reason, .. } => reason.code,
            };
            self.updates.get_or_create(&SourceLabels { source: source.to_owned(), result }).inc();
        }
    }

    /// Notes a receipt.
    pub fn receipt(&self, account: &str, kind: ReceiptKind) {
        let kind = kind.as_str();
        self.receipts.get_or_create(&AccountLabels { account: account.to_owned(), kind }).inc();
    }

    /// Notes what a citizen meant.
    pub fn intent(&self, intent: &str) {
        self.intents.get_or_create(&IntentLabels { intent: intent.to_owned() }).inc();
    }

    /// All of it as text.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
