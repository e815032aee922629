//! The people of the tests: made-up names, numbers and phones, all different.

use serde_json::{Value, json};

const NAMES: [&str; 6] =
    ["Siti Aminah", "Budi Santoso", "Sri Wahyuni", "Agus Setiawan", "Dewi Lestari", "Joko Susilo"];

/// Somebody who has a NIK and, mostly, a phone.
#[derive(Clone, Debug)]
pub struct Citizen {
    /// Sixteen digits.
    pub nik: String,
    /// As in the registry.
    pub name: String,
    /// As an officer would type it; empty for none.
    pub phone: String,
    /// As it must reach the provider.
    pub e164: String,
    /// Where they live.
    pub area: String,
}

/// The citizen number `n` of Jabon in Jombang, up to 399,999.
pub fn citizen(n: usize) -> Citizen {
    assert!((1..=399_999).contains(&n));
    // Another year of birth and another block of numbers for each ten thousand.
    let (block, rest) = (n / 10_000, n % 10_000);
    let (year, middle) = (56 + block, 3456 + block);
    Citizen {
        nik: format!("3517091204{year}{rest:04}"),
        name: NAMES[n % NAMES.len()].to_owned(),
        phone: format!("0812-{middle}-{rest:04}"),
        e164: format!("+62812{middle}{rest:04}"),
        area: "35.17.09.2018".to_owned(),
    }
}

impl Citizen {
    /// The same, living elsewhere.
    pub fn of_area(mut self, area: &str) -> Self {
        area.clone_into(&mut self.area);
        self
    }

    /// The same, with what an officer typed as their phone.
    pub fn with_phone(mut self, phone: &str) -> Self {
        phone.clone_into(&mut self.phone);
        self
    }

    /// The same, under another name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// What a source says of their card.
    pub fn update(&self, id: &str, occurred_at: &str, status: &str) -> Value {
        json!({"id": id, "occurred_at": occurred_at, "nik": self.nik, "status": status,
               "name": self.name, "phone": self.phone, "area": self.area})
    }
}
