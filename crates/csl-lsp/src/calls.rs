//! The hierarchy of calls; what starts a task is among its callers.

use std::collections::BTreeMap;

use lsp_types::{
    CallHierarchyIncomingCall, CallHierarchyIncomingCallsParams, CallHierarchyItem, CallHierarchyOutgoingCall,
    CallHierarchyOutgoingCallsParams, CallHierarchyPrepareParams, Range, SymbolKind,
};

use crate::activations;
use crate::file::is_function;
use crate::names::{self, Target};
use crate::world::World;

pub fn prepare(world: &World, params: &CallHierarchyPrepareParams) -> Option<Vec<CallHierarchyItem>> {
    let at = &params.text_document_position_params;
    let key = world.key(&at.text_document.uri)?;
    let file = world.file(&key)?;
    let offset = file.text.offset(at.position);
    let named =
        names::at(world, &key, &file, offset).filter(|target| target.def(world).is_some_and(|def| is_function(&def)));
    let around = || Some(Target { key: key.clone(), id: file.function_at(offset)? });
    Some(vec![item(world, &named.or_else(around)?)?])
}

fn item(world: &World, of: &Target) -> Option<CallHierarchyItem> {
    let file = of.file(world)?;
    let def = file.defs.get(of.id)?;
    Some(CallHierarchyItem {
        name: def.name.as_str().to_owned(),
        kind: SymbolKind::FUNCTION,
        tags: None,
        detail: of.key.file_name().map(|name| name.to_string_lossy().into_owned()),
        uri: world.uri(&of.key)?,
        range: file.text.span(def.whole.to(def.span)),
        selection_range: file.text.span(def.span),
        data: None,
    })
}

/// The function that an item stands for.
fn target(world: &World, item: &CallHierarchyItem) -> Option<Target> {
    let key = world.key(&item.uri)?;
    let file = world.file(&key)?;
    let id = file.def_at(file.text.offset(item.selection_range.start))?;
    Some(Target { key, id })
}

pub fn incoming(world: &World, params: &CallHierarchyIncomingCallsParams) -> Option<Vec<CallHierarchyIncomingCall>> {
    let of = target(world, &params.item)?;
    let mut found: BTreeMap<Target, Vec<Range>> = BTreeMap::new();
    for key in names::files_around(world, &of.key) {
        let Some(file) = world.file(&key) else { continue };
        for call in &file.calls {
            let Some(within) = call.within else { continue };
            if names::target(world, &key, &file, call.callee).as_ref() == Some(&of) {
                let range = file.text.span(file.uses[call.callee].span);
                found.entry(Target { key: key.clone(), id: within }).or_default().push(range);
            }
        }
    }
    for started in activations::all(world).into_iter().filter(|started| started.task == of) {
        let Some(file) = world.file(&started.from.key) else { continue };
        found.entry(started.from).or_default().push(file.text.range(started.lo..started.hi));
    }
    let calls = found
        .into_iter()
        .filter_map(|(from, from_ranges)| Some(CallHierarchyIncomingCall { from: item(world, &from)?, from_ranges }));
    Some(calls.collect())
}

pub fn outgoing(world: &World, params: &CallHierarchyOutgoingCallsParams) -> Option<Vec<CallHierarchyOutgoingCall>> {
    let of = target(world, &params.item)?;
    let file = of.file(world)?;
    let mut found: BTreeMap<Target, Vec<Range>> = BTreeMap::new();
    for call in file.calls.iter().filter(|call| call.within == Some(of.id)) {
        let called = names::target(world, &of.key, &file, call.callee);
        if let Some(called) = called.filter(|called| called.def(world).is_some_and(|def| is_function(&def))) {
            found.entry(called).or_default().push(file.text.span(file.uses[call.callee].span));
        }
    }
    for started in activations::all(world).into_iter().filter(|started| started.from == of) {
        found.entry(started.task).or_default().push(file.text.range(started.lo..started.hi));
    }
    let calls = found
        .into_iter()
        .filter_map(|(to, from_ranges)| Some(CallHierarchyOutgoingCall { to: item(world, &to)?, from_ranges }));
    Some(calls.collect())
}
