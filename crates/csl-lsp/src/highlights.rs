//! The uses of a name in its file.

use lsp_types::{DocumentHighlight, DocumentHighlightKind, DocumentHighlightParams};

use crate::names;
use crate::world::World;

pub fn highlights(world: &World, params: &DocumentHighlightParams) -> Option<Vec<DocumentHighlight>> {
    let at = &params.text_document_position_params;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let target = names::at(world, &key, &file, file.text.offset(at.position))?;
    let here = names::places(world, &target).into_iter().filter(|place| place.key == key);
    let highlight = |place: names::Place| {
        let is_written = place.is_written || place.is_declaration;
        let kind = if is_written { DocumentHighlightKind::WRITE } else { DocumentHighlightKind::READ };
        DocumentHighlight { range: file.text.range(place.lo..place.hi), kind: Some(kind) }
    };
    Some(here.map(highlight).collect())
}
