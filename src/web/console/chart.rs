//! Charts as SVG, made on the server: bars on bars, bars beside their names, and lines over the weeks.
//!
//! They can be read in black and white: every part has a pattern of its own, every line a mark of its own, and
//! what is read off stands written. Nothing here knows what is counted.

use std::fmt::Write as _;

/// Width of a chart in its own units: it is scaled to the screen, and its letters with it.
const WIDTH: i64 = 340;
/// Height of the part with bars or lines.
const TALL: i64 = 150;
/// Room on the left for numbers.
const LEFT: i64 = 38;
/// Room above and below.
const TOP: i64 = 14;
const BELOW: i64 = 20;

/// One bar of a stack, or a whole one.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Which pattern, from 1 on.
    pub(super) class: u8,
    /// How large it is drawn.
    pub(super) size: i64,
    /// What stands at it when pointed at: `22 Nov 2026, dibaca: 14`.
    pub(super) title: String,
}

/// Parts on top of each other, with the name below.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    /// Below; empty where there is no room for all of them.
    pub(super) name: String,
    /// From the ground up.
    pub(super) parts: Vec<Part>,
    /// On top; empty where there is no room, or it must not be told.
    pub(super) value: String,
}

/// A bar beside its name.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    /// Its name.
    pub(super) name: String,
    /// How long it is drawn.
    pub(super) size: i64,
    /// What stands at its end.
    pub(super) value: String,
}

/// A line over the weeks.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Which mark and stroke, from 1 to 4.
    pub(super) class: u8,
    /// One for each name below; nothing leaves a gap. With what stands at it when pointed at.
    pub(super) points: Vec<Option<(i64, String)>>,
}

/// What stands for itself in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn begin(id: &str, title: &str, height: i64) -> String {
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-judul\">\
         <title id=\"{id}-judul\">{}</title>{}",
        escaped(title),
        patterns(id)
    )
}

/// The patterns of the six classes; ids are the chart's own, as several stand on one page.
fn patterns(id: &str) -> String {
    let line = |n: u8, d: &str| {
        format!(
            "<pattern id=\"{id}-p{n}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">\
             <rect class=\"c{n}\" width=\"6\" height=\"6\"/><path class=\"hatch\" d=\"{d}\"/></pattern>"
        )
    };
    format!(
        "<defs>{}{}{}{}{}{}</defs>",
        line(1, "M0 0"),
        line(2, "M0 6L6 0M-1 1L1 -1M5 7L7 5"),
        line(3, "M0 3H6"),
        line(4, "M0 0L6 6M0 6L6 0"),
        line(5, "M3 0V6"),
        line(6, "M2 3H4M3 2V4"),
    )
}

/// A square of a class's pattern, for the words beside a chart.
pub(super) fn key(id: &str, class: u8) -> String {
    format!(
        "<svg class=\"key\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">\
         <rect class=\"edge\" width=\"14\" height=\"14\" fill=\"url(#{id}-p{class})\"/></svg>"
    )
}

/// The mark of a line, for the words beside a chart.
pub(super) fn mark_key(class: u8) -> String {
    format!(
        "<svg class=\"key wide\" viewBox=\"0 0 28 14\" aria-hidden=\"true\">\
         <path class=\"l{class}\" d=\"M0 7H28\"/>{}</svg>",
        mark(class, 14, 7)
    )
}

/// The next number above that is easy to read, and its half too: 2, 4, 6, 8, 10, 20, 40 …
fn round_above(most: i64) -> i64 {
    let mut step = 1_i64;
    loop {
        for factor in [2, 4, 6, 8] {
            if step.saturating_mul(factor) >= most {
                return step.saturating_mul(factor);
            }
        }
        step = step.saturating_mul(10);
        if step >= i64::MAX / 10 {
            return most;
        }
    }
}

/// `part` of `whole`, on a length.
fn scaled(part: i64, whole: i64, length: i64) -> i64 {
    let whole = i128::from(whole.max(1));
    i64::try_from(i128::from(part) * i128::from(length) / whole).unwrap_or(length)
}

fn grid(svg: &mut String, at: i64, name: &str) {
    let y = at + 3;
    let _ = write!(
        svg,
        "<path class=\"axis\" d=\"M{LEFT} {at}H{WIDTH}\"/><text class=\"scale\" x=\"{}\" y=\"{y}\">{}</text>",
        LEFT - 4,
        escaped(name)
    );
}

/// Stacks beside each other. `number` writes a number of the scale.
pub(super) fn stacks(
    id: &str,
    title: &str,
    stacks: &[Stack],
    number: impl Fn(i64) -> String,
) -> String {
    let mut svg = begin(id, title, TOP + TALL + BELOW);
    let sum = |stack: &Stack| stack.parts.iter().map(|part| part.size).sum::<i64>();
    let most = round_above(stacks.iter().map(sum).max().unwrap_or(0).max(4));
    for quarter in [0, 2, 4] {
        grid(&mut svg, TOP + TALL - TALL * quarter / 4, &number(most * quarter / 4));
    }
    let count = i64::try_from(stacks.len()).unwrap_or(1).max(1);
    let room = WIDTH - LEFT - 4;
    for (index, stack) in (0_i64..).zip(stacks) {
        let left = LEFT + 4 + room * index / count;
        let width = (room * (index + 1) / count - room * index / count - 2).max(2);
        let mut height = 0;
        for part in stack.parts.iter().filter(|part| part.size > 0) {
            let from = scaled(height, most, TALL);
            height += part.size;
            let to = scaled(height, most, TALL).max(from + 1);
            let _ = write!(
                svg,
                "<rect class=\"edge\" x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"{}\" \
                 fill=\"url(#{id}-p{})\"><title>{}</title></rect>",
                TOP + TALL - to,
                to - from,
                part.class,
                escaped(&part.title)
            );
        }
        let top = TOP + TALL - scaled(height, most, TALL) - 3;
        for (words, y) in [(&stack.name, TOP + TALL + 14), (&stack.value, top)] {
            if !words.is_empty() {
                // Words at the edge would be cut off.
                let x = (left + width / 2).min(WIDTH - 14);
                let words = escaped(words);
                let _ = write!(svg, "<text class=\"below\" x=\"{x}\" y=\"{y}\">{words}</text>");
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Bars below each other, each with its name above and its value at the end.
pub(super) fn bars(id: &str, title: &str, bars: &[Bar]) -> String {
    const ROW: i64 = 30;
    let rows = i64::try_from(bars.len()).unwrap_or(0);
    let mut svg = begin(id, title, ROW * rows.max(1) + 4);
    let most = bars.iter().map(|bar| bar.size).max().unwrap_or(0).max(1);
    for (row, bar) in (0_i64..).zip(bars) {
        let top = ROW * row;
        let length = scaled(bar.size, most, WIDTH - 70).max(1);
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\">{}</text><rect class=\"edge\" x=\"0\" y=\"{}\" width=\"{length}\" \
             height=\"11\" fill=\"url(#{id}-p1)\"/><text class=\"value\" x=\"{}\" y=\"{}\">{}</text>",
            top + 11,
            escaped(&bar.name),
            top + 15,
            length + 5,
            top + 25,
            escaped(&bar.value)
        );
    }
    svg.push_str("</svg>");
    svg
}

fn mark(class: u8, x: i64, y: i64) -> String {
    match class {
        1 => format!("<circle class=\"m1\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>"),
        2 => {
            format!("<rect class=\"m2\" x=\"{}\" y=\"{}\" width=\"7\" height=\"7\"/>", x - 3, y - 3)
        }
        3 => format!("<path class=\"m3\" d=\"M{x} {}L{} {}H{}Z\"/>", y - 5, x + 5, y + 4, x - 5),
        _ => format!(
            "<path class=\"m4\" d=\"M{x} {}L{} {y}L{x} {}L{} {y}Z\"/>",
            y - 5,
            x + 5,
            y + 5,
            x - 5
        ),
    }
}

/// Lines over names. `ticks` are places on the scale with what stands there; sizes lie between the first and the
/// last.
pub(super) fn lines(
    id: &str,
    title: &str,
    names: &[String],
    ticks: &[(i64, &str)],
    lines: &[Line],
) -> String {
    let mut svg = begin(id, title, TOP + TALL + BELOW);
    let most = ticks.last().map_or(1, |(at, _)| *at);
    let height = |size: i64| TOP + TALL - scaled(size.clamp(0, most), most, TALL);
    for (at, name) in ticks {
        grid(&mut svg, height(*at), name);
    }
    let count = i64::try_from(names.len()).unwrap_or(1).max(1);
    let room = WIDTH - LEFT - 8;
    let across = |index: i64| LEFT + 4 + room * (2 * index + 1) / (2 * count);
    for (index, name) in (0_i64..).zip(names).filter(|(_, name)| !name.is_empty()) {
        let _ = write!(
            svg,
            "<text class=\"below\" x=\"{}\" y=\"{}\">{}</text>",
            across(index),
            TOP + TALL + 14,
            escaped(name)
        );
    }
    for line in lines {
        let mut path = String::new();
        let mut is_on = false;
        for (index, point) in (0_i64..).zip(&line.points) {
            if let Some((size, _)) = point {
                let letter = if is_on { 'L' } else { 'M' };
                let _ = write!(path, "{letter}{} {}", across(index), height(*size));
            }
            is_on = point.is_some();
        }
        let _ = write!(svg, "<path class=\"l{}\" d=\"{path}\"/>", line.class);
        for (index, point) in (0_i64..).zip(&line.points) {
            if let Some((size, title)) = point {
                let mark = mark(line.class, across(index), height(*size));
                let _ = write!(svg, "<g>{mark}<title>{}</title></g>", escaped(title));
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_number_that_is_easy_to_read() {
        for (most, end) in
            [(1, 2), (3, 4), (10, 20), (57, 60), (640, 800), (81, 200), (1_000_001, 2_000_000)]
        {
            assert_eq!(round_above(most), end);
        }
        assert_eq!(round_above(i64::MAX), i64::MAX);
    }

    #[test]
    fn words_in_a_chart_stay_words() {
        let bar = Bar { name: "<b>&".to_owned(), size: 3, value: "\"".to_owned() };
        let svg = bars("x", "a < b", &[bar]);
        assert!(
            svg.contains("&lt;b&gt;&amp;") && svg.contains("&quot;") && svg.contains("a &lt; b")
        );
    }

    #[test]
    fn no_bar_is_higher_than_the_chart_and_none_that_counts_is_invisible() {
        let part = |size| Part { class: 1, size, title: String::new() };
        let stack = |sizes: &[i64]| Stack {
            name: String::new(),
            parts: sizes.iter().map(|size| part(*size)).collect(),
            value: String::new(),
        };
        let svg = stacks("x", "", &[stack(&[1_000_000, 1]), stack(&[])], |n| n.to_string());
        let heights: Vec<i64> = svg
            .split("\" height=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .collect();
        assert!(heights.iter().all(|height| (1..=TALL).contains(height)), "{heights:?}");
    }
}
