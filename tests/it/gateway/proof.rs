//! What proves a webhook, and how a stranger would fail to imitate it.

use axum::body::Bytes;

use crate::support::hook::Hook;

/// Where a provider puts what proves that it is calling.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// A signature over the body in that header.
    Signature(&'static str),
    /// A secret in that parameter of the query.
    Query(&'static str),
    /// It never calls.
    NoWebhook,
}

impl Proof {
    /// The same request from somebody who does not know the secret, in several ways.
    pub fn forgeries(self, genuine: &Hook) -> Vec<Hook> {
        match self {
            Self::Signature(header) => {
                let mut unsigned = genuine.clone();
                assert!(unsigned.headers.remove(header).is_some(), "{header} in {genuine:?}");
                let mut wrong = genuine.clone();
                let signature = genuine.headers[header].to_str().unwrap();
                wrong.headers.insert(header, spoil(signature).parse().unwrap());
                let mut empty = genuine.clone();
                empty.headers.insert(header, "".parse().unwrap());
                let mut changed = genuine.clone();
                changed.body = Bytes::from([&genuine.body[..], b"&x=1"].concat());
                vec![unsigned, wrong, empty, changed]
            }
            Self::Query(name) => {
                let (path, query) = genuine.path.split_once('?').expect("a query");
                let prefix = format!("{name}=");
                let parts: Vec<&str> = query.split('&').collect();
                assert!(parts.iter().any(|part| part.starts_with(&prefix)), "{query}");
                let with = |change: &dyn Fn(&str) -> Option<String>| {
                    let parts = parts.iter().filter_map(|part| match part.strip_prefix(&prefix) {
                        Some(secret) => change(secret).map(|secret| format!("{prefix}{secret}")),
                        None => Some((*part).to_owned()),
                    });
                    let query = parts.collect::<Vec<_>>().join("&");
                    Hook { path: format!("{path}?{query}"), ..genuine.clone() }
                };
                vec![
                    with(&|_| None),
                    with(&|_| Some(String::new())),
                    with(&|secret| Some(spoil(secret))),
                    with(&|secret| Some(format!("{secret}0"))),
                ]
            }
            Self::NoWebhook => Vec::new(),
        }
    }
}

/// The same length, another value.
fn spoil(secret: &str) -> String {
    let first = if secret.starts_with('0') { '1' } else { '0' };
    std::iter::once(first).chain(secret.chars().skip(1)).collect()
}
