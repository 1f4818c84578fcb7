//! A hint for the host's processor.

/// Asks the processor to bring the first cache line of a value near, for a read that comes soon. It changes nothing else,
/// and does nothing where the processor has no such instruction.
#[inline(always)]
pub fn prefetch<T: ?Sized>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        #[allow(unsafe_code, reason = "the address is that of a value; the instruction reads nothing that the program sees")]
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast())
        };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}
