//! All uses of a name.

use lsp_types::{Location, ReferenceParams};

use crate::names::{self, Place};
use crate::world::World;

pub fn references(world: &World, params: &ReferenceParams) -> Option<Vec<Location>> {
    let at = &params.text_document_position;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let target = names::at(world, &key, &file, file.text.offset(at.position))?;
    let mut places = names::places(world, &target);
    places.retain(|place| params.context.include_declaration || !place.is_declaration);
    Some(places.iter().filter_map(|place| location(world, place)).collect())
}

pub fn location(world: &World, place: &Place) -> Option<Location> {
    let file = world.file(&place.key)?;
    Some(Location { uri: world.uri(&place.key)?, range: file.text.range(place.lo..place.hi) })
}
