use super::SAID;
use crate::dialogue::{OwnAnswer, Script};
use crate::domain::area::AreaCode;
use crate::understand::LABELS;

#[test]
fn every_fault_that_the_rules_find_is_said_in_indonesian() {
    let script = Script::embedded(LABELS).unwrap();
    let area = AreaCode::parse("35.17").unwrap();
    let good = script.parts("req_ktp_lost", &area).unwrap();
    assert_eq!(script.own_faults(&area, "req_ktp_lost", &good), Vec::<String>::new());
    let bad = |edit: &dyn Fn(&mut OwnAnswer)| {
        let mut own = good.clone();
        edit(&mut own);
        script.own_faults(&area, "req_ktp_lost", &own)
    };
    let mut found = Vec::new();
    found.extend(bad(&|own| own.lead = None));
    found.extend(bad(&|own| own.text = Some("x".into())));
    found.extend(bad(&|own| own.cost = Some("Rp10.000".into())));
    found.extend(bad(&|own| own.source.clear()));
    found.extend(bad(&|own| own.english.clear()));
    found.extend(bad(&|own| own.checked_on = "kemarin".into()));
    found.extend(bad(&|own| own.lead = Some("Datang segera!".into())));
    found.extend(bad(&|own| own.lead = Some("Lihat http://x".into())));
    found.extend(bad(&|own| own.note = Some("Lihat dukcapil.jombangkab.go.id".into())));
    found.extend(bad(&|own| own.lead = Some("Kirim OTP Anda.".into())));
    found.extend(bad(&|own| own.sms = Some("Bawa KK ✓".into())));
    found.extend(bad(&|own| own.bring = vec!["surat pengantar".repeat(40)]));
    found.extend(bad(&|own| own.lead = Some("Ke {{ kantor }}.".into())));
    assert!(found.len() >= 13, "{found:#?}");
    for fault in &found {
        assert!(SAID.iter().any(|(begin, _)| fault.contains(begin)), "{fault}");
    }
}
