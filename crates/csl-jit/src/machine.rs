//! Machine code: made, kept, run and given back. All of the crate's unsafe code stands here.
#![allow(unsafe_code, reason = "code that was made at run time is called, and its memory given back")]

use std::sync::{Arc, LazyLock, Mutex};

use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Function, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Linkage, Module, default_libcall_names};
use csl_image::PeImage;
use csl_num::{FloatKind, LowBits};

use crate::flow::Flow;
use crate::translate::translate;
use crate::{Left, State};

/// What native code reads and writes.
#[repr(C)]
pub struct Context {
    pub frame: *mut u64,
    pub memory: *mut u8,
    pub tile_consts: *const u64,
    /// The first addresses at which 1, 2, 4 and 8 bytes are not in memory.
    pub limits: [u64; 4],
    pub stack: u64,
    pub until: u64,
    pub time: u64,
}

/// Native code returns the place before which it ends, with this bit where the limit is reached.
pub const AT_LIMIT: u64 = 1 << 32;

/// The native code of a function: it goes on at the entry with the number.
type Run = unsafe extern "C" fn(*mut Context, u32) -> u64;

/// The processor, if it is one for which native code can be made; data memory has its lowest byte first.
static PROCESSOR: LazyLock<Option<OwnedTargetIsa>> = LazyLock::new(|| {
    let mut flags = settings::builder();
    flags.set("opt_level", "speed").ok()?;
    flags.set("enable_verifier", if cfg!(debug_assertions) { "true" } else { "false" }).ok()?;
    let isa = cranelift_native::builder().ok()?.finish(settings::Flags::new(flags)).ok()?;
    let fits = cfg!(target_endian = "little") && isa.pointer_type() == I64;
    fits.then_some(isa)
});

/// The native code of one function.
pub struct Code {
    run: Run,
    /// Owns the memory of the code.
    module: Mutex<Option<JITModule>>,
    /// The number of registers that it may access, and that of tile constants.
    frame: usize,
    tile_consts: usize,
}

impl Code {
    /// `None` where the processor is none of those that are known, or the function too much for the compiler.
    pub fn new(pe: &PeImage, flow: &Flow, half: FloatKind) -> Option<Code> {
        let isa = PROCESSOR.as_ref()?;
        let mut module = JITModule::new(JITBuilder::with_isa(Arc::clone(isa), default_libcall_names()));
        let mut context = module.make_context();
        let mut signature = Signature::new(isa.default_call_conv());
        signature.params = vec![AbiParam::new(I64), AbiParam::new(I32)];
        signature.returns = vec![AbiParam::new(I64)];
        let id = module.declare_function("run", Linkage::Export, &signature).ok()?;
        context.func = Function::with_name_signature(context.func.name.clone(), signature);
        let mut builder = FunctionBuilderContext::new();
        translate(FunctionBuilder::new(&mut context.func, &mut builder), pe, flow, half, isa.frontend_config());
        module.define_function(id, &mut context).ok()?;
        module.finalize_definitions().ok()?;
        let code = module.get_finalized_function(id);
        // SAFETY: the function was declared with the signature of `Run`, in the calling convention of C.
        let run = unsafe { std::mem::transmute::<*const u8, Run>(code) };
        let (frame, tile_consts) = (flow.frame.into(), pe.tile_consts.into());
        Some(Code { run, module: Mutex::new(Some(module)), frame, tile_consts })
    }

    /// Goes on at the entry with the number until control leaves native code.
    pub fn run(&self, which: u32, state: State) -> Left {
        assert!(
            state.frame.len() >= self.frame && state.tile_consts.len() >= self.tile_consts,
            "a frame of the program"
        );
        // An address has 16 bits, and no byte behind them is memory.
        let bytes = state.memory.len().min(1 << 16) as u64;
        let mut context = Context {
            frame: state.frame.as_mut_ptr(),
            memory: state.memory.as_mut_ptr(),
            tile_consts: state.tile_consts.as_ptr(),
            limits: [1, 2, 4, 8].map(|size| (bytes + 1).saturating_sub(size)),
            stack: state.stack.into(),
            until: state.until,
            time: state.time,
        };
        // SAFETY: the code lives as long as `self`. It accesses the context, which lives here; registers below `frame` and tile
        // constants below `tile_consts`, as the translator asserts of each, of slices that are at least so long and that nobody
        // else holds; bytes of memory below `limits`, which it compares with each time. It calls functions that do not unwind,
        // and ends before whatever it does not do itself, a division by zero included.
        let result = unsafe { (self.run)(&mut context, which) };
        Left { pc: result.low32(), time: context.time, is_at_limit: result & AT_LIMIT != 0 }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        let module = self.module.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(module) = module {
            // SAFETY: the pointer into it goes with `self`, and nothing runs the code without borrowing that.
            unsafe { module.free_memory() };
        }
    }
}
