//! The conversation: from what was understood of a message to what is answered.
//!
//! Pure: [`step()`] is given the script, what is kept of the conversation, and the facts of the
//! moment, and returns replies, the new state, and what the office has to do. It never reads a
//! clock or a database, repeats of what a citizen wrote only what they are asked to confirm, and
//! holds no sentence that a citizen reads: those stand in `message_templates`.

mod answer;
mod command;
mod day;
mod embedded;
mod find_area;
mod flow;
mod home_fact;
mod home_line;
mod input;
mod kept_line;
mod line;
mod local;
mod mention;
mod own;
mod picked;
mod place;
mod point_line;
mod question;
mod sample;
mod script;
mod session_line;
mod state;
mod step;
mod told;
pub mod transcript;
mod turn;
mod understood;
mod visit;
mod visit_fact;
mod wording;

pub use answer::{Answer, PaperForm, Standing};
pub use home_fact::{HomeFact, HomeVisitFact};
pub use input::{
    CODE_UNKNOWN, CardFact, ComplaintFact, Connection, DeliveryFact, Effect, Input, KeptFact,
    KeptPerson, KeptTicket, Meaning, Need, OutageFact, ReferenceFact, Reply, Step, TicketFact,
};
pub use line::LineSample;
pub use local::{Stale, Variant};
pub use mention::AreaFact;
pub use own::OwnAnswer;
pub use place::PointFact;
pub use script::{Note, Script};
pub use state::{Asked, Flow, Offer, State};
pub use step::step;
pub use understood::{Understood, judge};
pub use visit::Visit;
pub use visit_fact::{AppointmentFact, BookingFact, SessionFact, SlotNow};

#[cfg(test)]
mod tests;
