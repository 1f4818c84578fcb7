//! The server of `@rpc` on a color that the program itself feeds.
//!
//! The guide says that a call is "a sequence of wavelets: a unique identifier with the arguments" and no more. Here the
//! first wavelet has the id of the exported name (`@get_symbol_id`) in its low half and the number of arguments in its
//! high half; each argument follows as a wavelet of its own.

use csl_image::RpcFunction;
use csl_num::LowBits;

use crate::fault::FaultKind;
use crate::pe::Pe;
use crate::tasks::canonical;

/// A call whose wavelets are coming in.
#[derive(Clone, Debug)]
pub(crate) struct RpcCall {
    id: u16,
    count: u8,
    words: Vec<u32>,
}

impl Pe {
    pub(crate) fn is_rpc_channel(&self, channel: u8) -> bool {
        self.program.rpc.as_ref().is_some_and(|rpc| rpc.task_id == channel)
    }

    /// The server's task: one wavelet a run. With the last argument it calls the function.
    pub(crate) fn serve_rpc(&mut self, data: u32) -> Result<(), FaultKind> {
        let call = match self.rpc_call.take() {
            None => RpcCall { id: data.low16(), count: (data >> 16).min(255).low8(), words: Vec::new() },
            Some(mut call) => {
                call.words.push(data);
                call
            }
        };
        self.cpu.tau += u64::from(self.chip.timing.task_switch);
        if call.words.len() < usize::from(call.count) {
            self.rpc_call = Some(call);
            return Ok(());
        }
        let program = self.program.clone();
        let functions = program.rpc.iter().flat_map(|rpc| &rpc.functions);
        // A call of something that is not exported is ignored.
        match functions.into_iter().find(|function| function.id == call.id) {
            Some(function) => self.call_remotely(function, &call),
            None => Ok(()),
        }
    }

    fn call_remotely(&mut self, function: &RpcFunction, call: &RpcCall) -> Result<(), FaultKind> {
        if function.params.len() != call.words.len() {
            return Err(FaultKind::BadRpc { function: function.func, given: call.count });
        }
        let args: Vec<u64> =
            function.params.iter().zip(&call.words).map(|(param, &word)| canonical(*param, u64::from(word))).collect();
        self.enter(function.func, &args);
        Ok(())
    }
}
