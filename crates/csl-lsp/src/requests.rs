//! The requests that are answered, by their methods.

use lsp_server::{ErrorCode, Request};
use lsp_types::request::{
    CallHierarchyIncomingCalls, CallHierarchyOutgoingCalls, CallHierarchyPrepare, CodeActionRequest, Completion,
    DocumentHighlightRequest, DocumentSymbolRequest, FoldingRangeRequest, Formatting, GotoDefinition, HoverRequest,
    InlayHintRequest, PrepareRenameRequest, RangeFormatting, References, Rename, Request as _, ResolveCompletionItem,
    SemanticTokensFullRequest, SemanticTokensRangeRequest, SignatureHelpRequest,
};
use serde_json::Value;

use crate::world::World;
use crate::{
    actions, calls, completion, definition, folding, format, highlights, hover, inlay, references, rename, signature,
    symbols, tokens,
};

/// The answer to a request.
pub enum Answer {
    Result(Value),
    Refusal(ErrorCode, String),
}

/// Why a request has no result.
pub struct Refusal(pub String);

/// Whether a request is about types, values or findings, and waits for the analysis of the latest texts.
pub fn needs_analysis(method: &str) -> bool {
    const AT_ONCE: &[&str] = &[
        Completion::METHOD,
        ResolveCompletionItem::METHOD,
        SignatureHelpRequest::METHOD,
        DocumentSymbolRequest::METHOD,
        FoldingRangeRequest::METHOD,
        Formatting::METHOD,
        RangeFormatting::METHOD,
        SemanticTokensFullRequest::METHOD,
        SemanticTokensRangeRequest::METHOD,
    ];
    !AT_ONCE.contains(&method)
}

pub fn answer(world: &World, request: Request) -> Answer {
    let Request { method, params, .. } = request;
    match method.as_str() {
        HoverRequest::METHOD => of::<HoverRequest>(params, |params| Ok(hover::hover(world, &params))),
        GotoDefinition::METHOD => of::<GotoDefinition>(params, |params| Ok(definition::definition(world, &params))),
        References::METHOD => of::<References>(params, |params| Ok(references::references(world, &params))),
        DocumentHighlightRequest::METHOD => {
            of::<DocumentHighlightRequest>(params, |params| Ok(highlights::highlights(world, &params)))
        }
        PrepareRenameRequest::METHOD => of::<PrepareRenameRequest>(params, |params| rename::prepare(world, &params)),
        Rename::METHOD => of::<Rename>(params, |params| rename::rename(world, &params)),
        DocumentSymbolRequest::METHOD => {
            of::<DocumentSymbolRequest>(params, |params| Ok(symbols::symbols(world, &params)))
        }
        FoldingRangeRequest::METHOD => of::<FoldingRangeRequest>(params, |params| Ok(folding::folding(world, &params))),
        Formatting::METHOD => of::<Formatting>(params, |params| format::whole(world, &params)),
        RangeFormatting::METHOD => of::<RangeFormatting>(params, |params| format::range(world, &params)),
        SemanticTokensFullRequest::METHOD => {
            of::<SemanticTokensFullRequest>(params, |params| Ok(tokens::whole(world, &params)))
        }
        SemanticTokensRangeRequest::METHOD => {
            of::<SemanticTokensRangeRequest>(params, |params| Ok(tokens::range(world, &params)))
        }
        CodeActionRequest::METHOD => of::<CodeActionRequest>(params, |params| Ok(actions::actions(world, &params))),
        Completion::METHOD => of::<Completion>(params, |params| Ok(completion::completion(world, &params))),
        ResolveCompletionItem::METHOD => of::<ResolveCompletionItem>(params, |item| Ok(completion::resolve(item))),
        SignatureHelpRequest::METHOD => {
            of::<SignatureHelpRequest>(params, |params| Ok(signature::signature(world, &params)))
        }
        InlayHintRequest::METHOD => of::<InlayHintRequest>(params, |params| Ok(inlay::hints(world, &params))),
        CallHierarchyPrepare::METHOD => of::<CallHierarchyPrepare>(params, |params| Ok(calls::prepare(world, &params))),
        CallHierarchyIncomingCalls::METHOD => {
            of::<CallHierarchyIncomingCalls>(params, |params| Ok(calls::incoming(world, &params)))
        }
        CallHierarchyOutgoingCalls::METHOD => {
            of::<CallHierarchyOutgoingCalls>(params, |params| Ok(calls::outgoing(world, &params)))
        }
        _ => Answer::Refusal(ErrorCode::MethodNotFound, format!("there is no `{method}` here")),
    }
}

fn of<R: lsp_types::request::Request>(
    params: Value,
    answer: impl FnOnce(R::Params) -> Result<R::Result, Refusal>,
) -> Answer {
    match serde_json::from_value(params).map(answer) {
        Ok(Ok(result)) => match serde_json::to_value(result) {
            Ok(value) => Answer::Result(value),
            Err(error) => Answer::Refusal(ErrorCode::InternalError, error.to_string()),
        },
        Ok(Err(Refusal(why))) => Answer::Refusal(ErrorCode::RequestFailed, why),
        Err(error) => Answer::Refusal(ErrorCode::InvalidParams, error.to_string()),
    }
}
