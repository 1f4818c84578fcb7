//! The server of `@rpc` on a color that the program itself feeds.
//!
//! The guide says that a call is "a sequence of wavelets: a unique identifier with the arguments" and no more. Here the
//! first wavelet has the id of the exported name (`@get_symbol_id`) in its low half and the number of arguments in its
//! high half; each argument follows as a wavelet of its own.

use csl_image::{PeImage, RpcFunction};
use csl_machine::TaskId;
use csl_num::LowBits;

use super::calls::Call;
use super::tasks::canonical;
use crate::fault::FaultKind;

#[derive(Clone, Debug, Default)]
pub(crate) struct RpcServer {
    /// The call whose wavelets are arriving.
    call: Option<Incoming>,
}

#[derive(Clone, Debug)]
struct Incoming {
    id: u16,
    count: u8,
    words: Vec<u32>,
}

/// Whether the data task of a channel is the server.
pub(super) fn is_rpc_channel(program: &PeImage, channel: TaskId) -> bool {
    program.rpc.as_ref().is_some_and(|rpc| rpc.task_id == channel)
}

impl RpcServer {
    /// Runs the server's task, which takes one wavelet. Returns the call once its last argument is there; a call of
    /// something that is not exported is ignored.
    pub fn take(&mut self, data: u32, program: &PeImage) -> Result<Option<Call>, FaultKind> {
        let call = match self.call.take() {
            None => Incoming { id: data.low16(), count: (data >> 16).min(255).low8(), words: Vec::new() },
            Some(mut call) => {
                call.words.push(data);
                call
            }
        };
        if call.words.len() < usize::from(call.count) {
            self.call = Some(call);
            return Ok(None);
        }
        let mut functions = program.rpc.iter().flat_map(|rpc| &rpc.functions);
        functions.find(|function| function.id == call.id).map(|function| complete(function, &call)).transpose()
    }
}

fn complete(function: &RpcFunction, call: &Incoming) -> Result<Call, FaultKind> {
    if function.params.len() != call.words.len() {
        return Err(FaultKind::BadRpc { function: function.func, given: call.count });
    }
    let words = function.params.iter().zip(&call.words);
    let args = words.map(|(param, &word)| canonical(*param, u64::from(word))).collect();
    Ok(Call { func: function.func, args })
}
