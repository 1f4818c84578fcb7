//! Draws the pictures of the book: boxes, arrows and words on a grid, as SVG.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use crate::shell::root;

/// A picture by its file name, and how it is drawn.
const ALL: [(&str, fn() -> Drawing); 6] =
    [("wafer", wafer), ("pe", pe), ("route", route), ("tasks", tasks), ("descriptor", descriptor), ("switch", switch)];

const INK: &str = "#24303c";
const PALE: &str = "#eef2f6";
const BLUE: &str = "#cfe3f7";
const GREEN: &str = "#d6edd5";
const AMBER: &str = "#fbe3bd";
const RED: &str = "#c0392b";

/// Writes every picture.
pub fn write() -> Result<(), String> {
    for (name, draw) in ALL {
        let path = file(name);
        fs::write(&path, draw().finish()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn file(name: &str) -> PathBuf {
    root().join(format!("docs/book/src/machine/{name}.svg"))
}

/// A picture under way. Sizes are in pixels, y goes down.
struct Drawing {
    width: i32,
    height: i32,
    about: &'static str,
    parts: String,
}

impl Drawing {
    fn new(width: i32, height: i32, about: &'static str) -> Drawing {
        Drawing { width, height, about, parts: String::new() }
    }

    fn part(mut self, part: &str) -> Drawing {
        self.parts += part;
        self.parts.push('\n');
        self
    }

    /// A box with words in its middle, lines parted by `|`.
    fn boxed(self, (x, y): (i32, i32), (w, h): (i32, i32), fill: &str, words: &str) -> Drawing {
        let frame =
            format!(r##"<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="4" fill="{fill}" stroke="{INK}"/>"##);
        self.part(&frame).words((x + w / 2, y + h / 2), words)
    }

    /// Words around a point, lines parted by `|`.
    fn words(mut self, (x, y): (i32, i32), words: &str) -> Drawing {
        let lines: Vec<&str> = words.split('|').filter(|line| !line.is_empty()).collect();
        for (line, number) in lines.iter().zip(0i32..) {
            let count = i32::try_from(lines.len()).unwrap_or(1);
            let at = y + 5 + 17 * number - 17 * (count - 1) / 2;
            self = self.part(&format!(r#"<text x="{x}" y="{at}">{line}</text>"#));
        }
        self
    }

    fn arrow(self, (x1, y1): (i32, i32), (x2, y2): (i32, i32)) -> Drawing {
        self.line_of(&format!("M{x1} {y1} L{x2} {y2}"), INK)
    }

    /// An arrow along points.
    fn path(self, points: &[(i32, i32)], color: &str) -> Drawing {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        self.line_of(&format!("M{}", points.join(" L")), color)
    }

    fn line_of(self, path: &str, color: &str) -> Drawing {
        let head = if color == RED { "red" } else { "ink" };
        self.part(&format!(
            r#"<path d="{path}" fill="none" stroke="{color}" stroke-width="2" marker-end="url(#{head})"/>"#
        ))
    }

    fn finish(self) -> String {
        let Drawing { width, height, about, parts } = self;
        let mut out = String::new();
        let marker = |id: &str, color: &str| {
            format!(
                r#"<marker id="{id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="{color}"/></marker>"#
            )
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" font-family="sans-serif" font-size="14" text-anchor="middle" fill="{INK}">"#
        );
        let _ = writeln!(out, "<title>{about}</title>");
        let _ = writeln!(out, r##"<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>"##);
        let _ = writeln!(out, "<defs>{}{}</defs>", marker("ink", INK), marker("red", RED));
        out + &parts + "</svg>\n"
    }
}

/// The fabric: the program's rectangle, and what memcpy takes beside it.
fn wafer() -> Drawing {
    let mut drawing = Drawing::new(640, 290, "A fabric of 11 by 4 PEs with a program of 4 by 2 at 4,1");
    for y in 0..4 {
        for x in 0..11 {
            let fill = match (x, y) {
                (4..=7, 1..=2) => GREEN,
                _ => PALE,
            };
            drawing = drawing.boxed((40 + 50 * x, 40 + 50 * y), (42, 42), fill, "");
        }
    }
    let frame = format!(
        r##"<rect x="234" y="84" width="204" height="104" rx="6" fill="none" stroke="{RED}" stroke-width="2"/>"##
    );
    drawing
        .part(&frame)
        .words((336, 22), "the program: --fabric-offsets=4,1, a rectangle of 4 x 2")
        .words((136, 262), "memcpy brings data in here")
        .words((515, 262), "and takes them out here")
        .arrow((136, 248), (136, 232))
        .arrow((515, 248), (515, 232))
}

/// One PE: core, memory, router.
fn pe() -> Drawing {
    Drawing::new(640, 330, "A PE: core and memory, queues, and a router with five links")
        .boxed((190, 20), (260, 70), BLUE, "core: the main thread|and eight microthreads")
        .boxed((490, 20), (130, 70), AMBER, "memory|48 KiB")
        .arrow((450, 45), (488, 45))
        .arrow((490, 65), (452, 65))
        .boxed((190, 125), (120, 50), GREEN, "input queues")
        .boxed((330, 125), (120, 50), GREEN, "output queues")
        .arrow((250, 125), (250, 92))
        .arrow((390, 90), (390, 123))
        .boxed((250, 215), (140, 60), PALE, "router")
        .arrow((300, 215), (262, 177))
        .arrow((378, 175), (345, 213))
        .words((440, 200), "RAMP")
        .arrow((250, 245), (130, 245))
        .words((95, 250), "WEST")
        .arrow((390, 245), (510, 245))
        .words((548, 250), "EAST")
        .arrow((320, 275), (320, 310))
        .words((365, 308), "SOUTH")
        .arrow((258, 215), (140, 175))
        .words((105, 168), "NORTH")
}

/// A color's way: from one PE to the east, and one that both passes on and takes.
fn route() -> Drawing {
    let mut drawing = Drawing::new(640, 230, "A wavelet goes from the first PE through the second to the third");
    for (number, routes) in [".rx RAMP|.tx EAST", ".rx WEST|.tx RAMP, EAST", ".rx WEST|.tx RAMP"].iter().enumerate() {
        let x = 30 + 210 * i32::try_from(number).unwrap_or(0);
        drawing = drawing
            .boxed((x, 20), (160, 50), BLUE, &format!("core of PE {number}"))
            .boxed((x, 120), (160, 50), PALE, "router")
            .words((x + 80, 198), routes);
    }
    drawing
        .path(&[(110, 70), (110, 118)], RED)
        .path(&[(190, 145), (238, 145)], RED)
        .path(&[(320, 120), (320, 72)], RED)
        .path(&[(400, 145), (448, 145)], RED)
        .path(&[(530, 120), (530, 72)], RED)
}

/// How a task comes to run.
fn tasks() -> Drawing {
    Drawing::new(640, 300, "Three ways to start a task; the picker takes one that is ready and not blocked")
        .boxed((20, 20), (200, 50), PALE, "@activate(id)")
        .boxed((20, 90), (200, 50), PALE, "an operation ends|(.activate = id)")
        .boxed((20, 160), (200, 50), PALE, "a wavelet in a queue|with a data task")
        .boxed((20, 230), (200, 50), PALE, "a control wavelet|that names the task")
        .boxed((300, 110), (120, 80), AMBER, "picker:|ready and|not blocked")
        .boxed((490, 110), (130, 80), BLUE, "one task runs|to its end")
        .arrow((220, 45), (300, 125))
        .arrow((220, 115), (298, 142))
        .arrow((220, 185), (298, 160))
        .arrow((220, 255), (300, 178))
        .arrow((420, 150), (488, 150))
        .path(&[(555, 190), (555, 240), (360, 240), (360, 192)], INK)
        .words((458, 258), "the next one")
}

/// What a memory descriptor names.
fn descriptor() -> Drawing {
    let mut drawing = Drawing::new(640, 210, "A descriptor of three elements, four apart, in an array of 3 by 4");
    for place in 0..12 {
        let fill = if place % 4 == 1 { GREEN } else { PALE };
        let words = format!("{},{}", place / 4, place % 4);
        drawing = drawing.boxed((20 + 50 * place, 80), (46, 46), fill, &words);
    }
    drawing
        .words((320, 30), "|i|{3} -&gt; m[i, 1]".replace('|', "&#124;").as_str())
        .path(&[(320, 42), (320, 55), (93, 55), (93, 78)], RED)
        .path(&[(320, 42), (320, 55), (293, 55), (293, 78)], RED)
        .path(&[(320, 42), (320, 55), (493, 55), (493, 78)], RED)
        .words((93, 150), "address")
        .words((293, 150), "stride 4")
        .words((493, 150), "extent 3")
        .words((320, 190), "m[3, 4] lies row by row in memory")
}

/// A switch that turns with each control wavelet.
fn switch() -> Drawing {
    Drawing::new(640, 220, "Position 0 takes from the core, position 1 from the west, and round again")
        .boxed((40, 70), (240, 70), BLUE, "position 0|RAMP to EAST")
        .boxed((360, 70), (240, 70), GREEN, "position 1|WEST to EAST")
        .path(&[(200, 70), (200, 40), (440, 40), (440, 68)], RED)
        .words((320, 25), "a control wavelet with SWITCH_ADV")
        .path(&[(440, 140), (440, 175), (200, 175), (200, 142)], RED)
        .words((320, 198), "one more, with .ring_mode = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_are_as_they_are_drawn() {
        for (name, draw) in ALL {
            let there = fs::read_to_string(file(name)).unwrap_or_default();
            assert_eq!(there, draw().finish(), "`cargo xtask book` draws {name} anew");
        }
    }
}
