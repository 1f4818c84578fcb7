//! What C passes by value.

use waferlab::{Area, Argument, Order, Spread};

use crate::handle::{Refusal, refuse};

/// A request that has been made, for waferlab_wait.
pub type WaferlabTask = u64;

/// The program's elements have 32 bits.
pub const WAFERLAB_32BIT: u32 = 0;
/// The program's elements have 16 bits, and each is the low half of an item of the host's array.
pub const WAFERLAB_16BIT: u32 = 1;

/// The elements of a PE are adjacent: `A[height][width][elements_per_pe]`, the last index fastest.
pub const WAFERLAB_ROW_MAJOR: u32 = 0;
/// The first index of that array is fastest.
pub const WAFERLAB_COL_MAJOR: u32 = 1;

/// Each PE has elements of its own.
pub const WAFERLAB_EACH: u32 = 0;
/// The PEs of a row get the same: the array is `A[height][1][elements_per_pe]`. For copies to the device alone.
pub const WAFERLAB_ROWS: u32 = 1;
/// The PEs of a column get the same: the array is `A[1][width][elements_per_pe]`. For copies to the device alone.
pub const WAFERLAB_COLUMNS: u32 = 2;

/// A copy: which PEs, how many elements of each, how the host's array holds them. A field that is 0 has its usual value, so that
/// the first five are enough.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct WaferlabCopy {
    /// The first column of the rectangle of PEs.
    pub x: u32,
    /// Its first row.
    pub y: u32,
    /// Its columns.
    pub width: u32,
    /// Its rows.
    pub height: u32,
    /// The elements of each PE.
    pub elements_per_pe: u32,
    /// WAFERLAB_32BIT or WAFERLAB_16BIT.
    pub data_type: u32,
    /// WAFERLAB_ROW_MAJOR or WAFERLAB_COL_MAJOR.
    pub order: u32,
    /// WAFERLAB_EACH, WAFERLAB_ROWS or WAFERLAB_COLUMNS.
    pub spread: u32,
    /// 1: the number is that of a color to stream on, not of a symbol.
    pub streaming: u32,
    /// From column to column of those that take part; 0 and 1: all do.
    pub column_step: u32,
    /// From row to row.
    pub row_step: u32,
}

impl WaferlabCopy {
    pub(crate) fn area(&self) -> Result<Area, Refusal> {
        let order = match self.order {
            WAFERLAB_ROW_MAJOR => Order::RowMajor,
            WAFERLAB_COL_MAJOR => Order::ColMajor,
            _ => return Err(refuse("copy.order is neither WAFERLAB_ROW_MAJOR nor WAFERLAB_COL_MAJOR")),
        };
        let all = Area::new(self.x, self.y, self.width, self.height).order(order);
        Ok(all.every(self.column_step.max(1), self.row_step.max(1)))
    }

    pub(crate) fn has_halves(&self) -> Result<bool, Refusal> {
        match self.data_type {
            WAFERLAB_32BIT => Ok(false),
            WAFERLAB_16BIT => Ok(true),
            _ => Err(refuse("copy.data_type is neither WAFERLAB_32BIT nor WAFERLAB_16BIT")),
        }
    }

    pub(crate) fn spread(&self) -> Result<Spread, Refusal> {
        match self.spread {
            WAFERLAB_EACH => Ok(Spread::Each),
            WAFERLAB_ROWS => Ok(Spread::Rows),
            WAFERLAB_COLUMNS => Ok(Spread::Columns),
            _ => Err(refuse("copy.spread is none of WAFERLAB_EACH, WAFERLAB_ROWS and WAFERLAB_COLUMNS")),
        }
    }

    pub(crate) fn is_stream(&self) -> Result<bool, Refusal> {
        match self.streaming {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(refuse("copy.streaming is neither 0 nor 1")),
        }
    }

    /// The items of the host's array; `None` if they cannot be counted.
    pub(crate) fn items(&self) -> Option<usize> {
        let along = |extent: u32, step: u32| extent.div_ceil(step.max(1)) as usize;
        let (columns, rows) = (along(self.width, self.column_step), along(self.height, self.row_step));
        columns.checked_mul(rows)?.checked_mul(self.elements_per_pe as usize)
    }
}

pub(crate) const BOOL: u32 = 1;
pub(crate) const I8: u32 = 2;
pub(crate) const U8: u32 = 3;
pub(crate) const I16: u32 = 4;
pub(crate) const U16: u32 = 5;
pub(crate) const I32: u32 = 6;
pub(crate) const U32: u32 = 7;
pub(crate) const F32: u32 = 8;
pub(crate) const F16: u32 = 9;

/// An argument of a function, with its type: waferlab_f32(2.5f) and its like make one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct WaferlabArgument {
    /// The type.
    pub kind: u32,
    /// The bits of the value, extended to 32 by its sign; of 16-bit floats those of the `float`.
    pub bits: u32,
}

impl WaferlabArgument {
    pub(crate) fn new(kind: u32, bits: u32) -> WaferlabArgument {
        WaferlabArgument { kind, bits }
    }

    fn value(self) -> Result<Argument, Refusal> {
        let WaferlabArgument { kind, bits } = self;
        Ok(match kind {
            BOOL => (bits != 0).into(),
            I8 => (bits as i8).into(),
            U8 => (bits as u8).into(),
            I16 => (bits as i16).into(),
            U16 => (bits as u16).into(),
            I32 => bits.cast_signed().into(),
            U32 => bits.into(),
            F32 => f32::from_bits(bits).into(),
            F16 => Argument::TypedFloat { bits: 16, value: f32::from_bits(bits).into() },
            _ => return Err(refuse("an argument was not made by waferlab_f32 or its like")),
        })
    }
}

/// The arguments in an array of the caller's.
///
/// # Safety
/// `arguments` is null or leads to so many.
pub(crate) unsafe fn arguments(arguments: *const WaferlabArgument, count: usize) -> Result<Vec<Argument>, Refusal> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if arguments.is_null() {
        return Err(refuse("arguments is null"));
    }
    // A function of the program has no more than a few.
    if count > 1024 {
        return Err(refuse(&format!("{count} arguments are too many")));
    }
    // SAFETY: it is not null, and so many are there.
    let given = unsafe { std::slice::from_raw_parts(arguments, count) };
    given.iter().map(|argument| argument.value()).collect()
}
