//! Where regions stand: where the program puts them, the others side by side to the east of those.

use crate::error::HostError;
use crate::layout::grid::{Area, Cell};
use crate::layout::refuse;
use crate::layout::region::Region;

/// Free columns before a region that the program has not placed.
const GAP: i32 = 1;

/// The area of every region. Refuses two that overlap.
pub fn settle(regions: &[Region]) -> Result<Vec<Area>, HostError> {
    let at = |region: &Region, place: Cell| Area::new(place.0, place.1, region.width, region.height);
    let placed = regions.iter().filter_map(|region| region.place.map(|place| at(region, place)));
    let mut next = placed.map(|area| area.end_x + GAP).max().unwrap_or(0);
    let mut areas = Vec::new();
    for region in regions {
        let area = at(region, region.place.unwrap_or((next, 0)));
        if region.place.is_none() {
            next = area.end_x + GAP;
        }
        areas.push(area);
    }
    check_overlap(regions, &areas)?;
    Ok(areas)
}

fn check_overlap(regions: &[Region], areas: &[Area]) -> Result<(), HostError> {
    for (b, area) in areas.iter().enumerate() {
        if let Some(a) = areas[..b].iter().position(|other| other.overlaps(area)) {
            let (a, b) = (&regions[a].name, &regions[b].name);
            return refuse(format!("code regions {a} and {b} overlap; place() them apart"));
        }
    }
    Ok(())
}
