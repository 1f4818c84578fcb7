//! The kinds of events that `SIMFABRIC_DEBUG` asks for.

use csl_image::Image;
use csl_machine::Coord;
use csl_sim::{Tiles, Traces};

use crate::environment::{self, Variable};

/// The environment variable that selects events, and the names under which container runtimes pass it into containers.
const VARIABLES: [Variable; 3] = [environment::LOG, environment::LOG_IN_SINGULARITY, environment::LOG_IN_APPTAINER];

const WORDS: &str =
    "landing, inst_trace, router, wavelet, each for all PEs or, as in landing@P5.2, for one of the fabric";

/// The kinds of events in `sim.log` beside prints, each with its PEs, by coordinates in the whole fabric.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogKinds {
    /// Wavelets that land on routers.
    pub landing: Tiles,
    /// Instructions.
    pub inst_trace: Tiles,
    /// Switches of routers.
    pub router: Tiles,
    /// Wavelets that leave routers. Not in the guide; viewers that animate wavelets read these lines.
    pub wavelet: Tiles,
}

impl LogKinds {
    /// Parses a list such as `landing,router@P5.2`, with a warning for each word without meaning.
    pub fn parse(list: &str) -> (LogKinds, Vec<String>) {
        let (mut kinds, mut warnings) = (LogKinds::default(), Vec::new());
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if kinds.add(word).is_none() {
                warnings.push(format!("`{word}` is left out: it is not one of {WORDS}"));
            }
        }
        (kinds, warnings)
    }

    /// Takes the kinds from the environment: `SIMFABRIC_DEBUG` or, where that is not set, the names that containers
    /// use.
    pub fn from_environment() -> (LogKinds, Vec<String>) {
        let set = VARIABLES.into_iter().find_map(|variable| variable.text().map(|list| (variable.name, list)));
        let Some((name, list)) = set else { return Default::default() };
        let (kinds, warnings) = LogKinds::parse(&list);
        (kinds, warnings.into_iter().map(|warning| format!("{name}: {warning}")).collect())
    }

    fn add(&mut self, word: &str) -> Option<()> {
        let (name, place) = match word.split_once('@') {
            Some((name, place)) => (name, Some(parse_place(place)?)),
            None => (word, None),
        };
        let asked = match name {
            "landing" => &mut self.landing,
            "inst_trace" => &mut self.inst_trace,
            "router" => &mut self.router,
            "wavelet" => &mut self.wavelet,
            _ => return None,
        };
        *asked = match (&*asked, place) {
            (Tiles::All, _) | (_, None) => Tiles::All,
            (Tiles::None, Some(place)) => Tiles::Some([place].into()),
            (Tiles::Some(before), Some(place)) => Tiles::Some(before.iter().copied().chain([place]).collect()),
        };
        Some(())
    }

    fn all(&self) -> [&Tiles; 4] {
        [&self.landing, &self.inst_trace, &self.router, &self.wavelet]
    }

    /// A warning for each PE that is named but runs no program.
    pub(crate) fn idle_places(&self, image: &Image) -> Vec<String> {
        let mut places: Vec<Coord> = self.all().into_iter().flat_map(named).collect();
        places.sort_unstable();
        places.dedup();
        let is_idle =
            |place: &Coord| image.to_logical(place.x, place.y).is_none_or(|at| image.program_at(at.x, at.y).is_none());
        let text =
            |Coord { x, y }| format!("SIMFABRIC_DEBUG: P{x}.{y} runs no program, so that nothing of it is logged");
        places.into_iter().filter(is_idle).map(text).collect()
    }

    /// The events that the machine has to report. Following wavelets at one PE needs those of all others.
    pub(super) fn traces(&self, image: &Image) -> Traces {
        let fabric = [&self.landing, &self.router, &self.wavelet].into_iter().any(|asked| *asked != Tiles::None);
        let instructions = match &self.inst_trace {
            Tiles::Some(places) => {
                Tiles::Some(places.iter().filter_map(|place| image.to_logical(place.x, place.y)).collect())
            }
            all_or_none => all_or_none.clone(),
        };
        Traces { fabric, instructions }
    }
}

/// `P5.2`: column and row in the fabric.
fn parse_place(text: &str) -> Option<Coord> {
    let (x, y) = text.strip_prefix('P')?.split_once('.')?;
    Some(Coord { x: x.parse().ok()?, y: y.parse().ok()? })
}

fn named(asked: &Tiles) -> Vec<Coord> {
    if let Tiles::Some(places) = asked { places.to_vec() } else { Vec::new() }
}
