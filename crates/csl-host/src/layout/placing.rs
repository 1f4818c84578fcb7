//! Places the regions: where the program puts them, the others side by side to the east of those, with room for paths
//! around them where there are any.

use crate::layout::LayoutError;
use crate::layout::grid::Area;
use crate::layout::region::Region;

/// Free columns and rows before a region that the program has not placed, when ports are in use.
const ROOM: i32 = 2;

/// The area of every region. Two that overlap are an error.
pub(crate) fn place_regions(regions: &[Region], has_paths: bool) -> Result<Vec<Area>, LayoutError> {
    let room = if has_paths { ROOM } else { 0 };
    let placed = regions.iter().filter_map(|region| Some(region.area_at(region.place?)));
    let ends: Vec<i32> = placed.map(|area| Ok(area?.end_x)).collect::<Result<_, _>>()?;
    let mut next = ends.into_iter().max().unwrap_or(0);
    let mut areas = Vec::new();
    for region in regions {
        let area = region.area_at(region.place.unwrap_or((next + room, room)))?;
        if region.place.is_none() {
            next = area.end_x;
        }
        areas.push(area);
    }
    check_overlap(regions, &areas)?;
    Ok(areas)
}

fn check_overlap(regions: &[Region], areas: &[Area]) -> Result<(), LayoutError> {
    for (b, area) in areas.iter().enumerate() {
        if let Some(a) = areas[..b].iter().position(|other| other.overlaps(area)) {
            let (a, b) = (regions[a].name.clone(), regions[b].name.clone());
            return Err(LayoutError::Overlap { a, b });
        }
    }
    Ok(())
}
