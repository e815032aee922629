//! `kabar survey`: what citizens think of the service, by the nine elements of Permenpan RB 14/2017.

use chrono::NaiveDate;
use kabar::domain::area::AreaCode;
use kabar::domain::survey::{Element, MIN_ANSWERS, Tally, index};
use kabar::store::survey::list_tallies;
use serde_json::json;

use super::{ConfigArg, office};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Only an area and what lies in it, like 35.17.09.2018
    #[arg(long, value_name = "CODE")]
    area: Option<AreaCode>,
    /// Only answers of that day and later, like 2026-01-01
    #[arg(long, value_name = "DATE")]
    since: Option<NaiveDate>,
    /// Print {"elements":[…],"index":…,"grade":…}
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let config = office::load(&args.config)?;
    let db = office::open_database(&config.database_url, config.sealer).await?;
    let tallies = list_tallies(&mut *db.reading().await?, args.area.as_ref(), args.since).await?;
    db.close().await;
    if args.json {
        println!("{}", view(&tallies));
    } else {
        print!("{}", table(&tallies));
    }
    Ok(())
}

fn of(tallies: &[Tally], element: Element) -> Tally {
    let none = Tally { element, answers: 0, sum: 0 };
    tallies.iter().find(|tally| tally.element == element).copied().unwrap_or(none)
}

fn view(tallies: &[Tally]) -> serde_json::Value {
    let elements: Vec<_> = Element::ALL
        .iter()
        .map(|&element| of(tallies, element))
        .map(|tally| {
            json!({"element": tally.element.as_str(), "answers": tally.answers,
                   "mean": tally.mean().map(|mean| (mean * 1000.0).round() / 1000.0)})
        })
        .collect();
    let index = index(tallies);
    json!({"elements": elements, "index": index.map(|index| index.value),
           "grade": index.map(|index| index.grade.to_string())})
}

fn table(tallies: &[Tally]) -> String {
    let mut lines = Vec::new();
    for &element in Element::ALL {
        let tally = of(tallies, element);
        let mean = tally.mean().map_or_else(|| "-".to_owned(), |mean| format!("{mean:.3}"));
        let note = if tally.is_enough() { "" } else { "  belum cukup" };
        lines.push(format!("{:12}  {:>6}  {mean:>6}{note}", element.as_str(), tally.answers));
    }
    lines.push(match index(tallies) {
        Some(index) => format!("IKM {:.2}, mutu {}", index.value, index.grade),
        None => {
            format!("IKM belum cukup: at least {MIN_ANSWERS} answers to each element are needed")
        }
    });
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(answers: i64) -> Vec<Tally> {
        Element::ALL.iter().map(|&element| Tally { element, answers, sum: answers * 3 }).collect()
    }

    #[test]
    fn the_index_stands_there_only_once_every_element_has_enough() {
        assert!(table(&all(30)).contains("IKM 75.00, mutu C"), "{}", table(&all(30)));
        assert!(table(&all(29)).contains("IKM belum cukup"));
        assert!(table(&[]).contains("sarana             0       -  belum cukup"), "{}", table(&[]));
        assert_eq!(view(&all(30))["grade"], "C");
        assert!(view(&all(29))["index"].is_null());
    }
}
