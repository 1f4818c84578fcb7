//! Numbers of one byte that name things of a PE: queues, microthreads, tasks. [`crate::Color`] is made in the same way.

use crate::{Color, QueueDir};

/// Makes types of numbers below a count of at most 255, of which `Option` takes no more room, and which index slices and
/// vectors themselves:
/// `byte_ids! { /// A queue. pub struct QueueId: 255; }`.
///
/// Note: the number is held plus one, so that 0 can stand for "none"; 255 is no number.
#[macro_export]
macro_rules! byte_ids {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident: $count:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name(::std::num::NonZeroU8);

        #[allow(dead_code, reason = "each type uses some of these; a private one would warn of the others")]
        impl $name {
            /// The number of values, and the length of a table by number.
            $vis const COUNT: usize = $count;
            /// A mask that changes no number: it shows the compiler the bound.
            const MASK: u8 = ($name::COUNT.next_power_of_two() - 1) as u8;

            /// The id of a number; `None` where there are not so many.
            #[inline]
            $vis const fn new(number: u8) -> Option<$name> {
                match ::std::num::NonZeroU8::new(number.wrapping_add(1)) {
                    Some(held) if (number as usize) < $name::COUNT => Some($name(held)),
                    _ => None,
                }
            }

            /// The id of a number that is known to be one.
            ///
            /// # Panics
            ///
            /// Where there are not so many.
            #[inline]
            $vis const fn at(number: u8) -> $name {
                $name::new(number).expect(concat!("no ", stringify!($name), " has that number"))
            }

            /// The id of a number of any width.
            #[inline]
            $vis fn of(number: impl TryInto<u8>) -> Option<$name> {
                number.try_into().ok().and_then($name::new)
            }

            /// The byte of an optional id, where 255 stands for none; [`Self::new`] reads it.
            #[inline]
            $vis const fn byte(id: Option<$name>) -> u8 {
                match id {
                    Some(id) => id.number(),
                    None => 0xff,
                }
            }

            /// The ids, from number 0 on.
            $vis fn all() -> impl Iterator<Item = $name> {
                (0..=u8::MAX).map_while($name::new)
            }

            #[inline]
            $vis const fn number(self) -> u8 {
                (self.0.get() - 1) & $name::MASK
            }

            #[inline]
            $vis const fn index(self) -> usize {
                self.number() as usize
            }

            /// The mask of this id in a set of the numbers 0 to 31; empty for others.
            #[inline]
            $vis const fn bit(self) -> u32 {
                match 1u32.checked_shl(self.number() as u32) {
                    Some(bit) => bit,
                    None => 0,
                }
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.number(), f)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.number(), f)
            }
        }

        $crate::indexes_tables!($name);
        $crate::byte_ids!(@from $name u8 u16 u32 u64 usize);
    )*};
    (@from $name:ident $($number:ty)*) => {$(
        impl From<$name> for $number {
            #[inline]
            fn from(id: $name) -> $number {
                id.number().into()
            }
        }
    )*};
}

/// Stores ids as their numbers.
macro_rules! serialized_as_numbers {
    ($($name:ident)*) => {$(
        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(self.number())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let number = <u8 as ::serde::Deserialize>::deserialize(deserializer)?;
                let none = concat!("no ", stringify!($name), " has that number");
                $name::new(number).ok_or_else(|| ::serde::de::Error::custom(none))
            }
        }
    )*};
}

pub(crate) use serialized_as_numbers;

byte_ids! {
    /// An input or output queue between a router and its CE; the direction stands beside it.
    pub struct QueueId: 255;

    /// A queue as `@queue_flush` counts them: output queues by their numbers, input queues from [`crate::FLUSH_INPUT`] on.
    pub struct FlushId: 16;

    /// A microthread.
    pub struct MicrothreadId: 255;

    /// A local, data or control task. The data task of a color (WSE-2) or an input queue (WSE-3) has its number.
    pub struct TaskId: 255;
}

serialized_as_numbers! { QueueId FlushId MicrothreadId TaskId }

impl FlushId {
    /// The number of a queue; the low three bits of its id count.
    pub const fn of_queue(dir: QueueDir, queue: QueueId) -> FlushId {
        let first = if matches!(dir, QueueDir::In) { crate::FLUSH_INPUT } else { 0 };
        FlushId::at(queue.number() & (crate::FLUSH_INPUT - 1) | first)
    }

    /// The queue of this number.
    pub const fn queue(self) -> (QueueDir, QueueId) {
        match self.number().checked_sub(crate::FLUSH_INPUT) {
            Some(input) => (QueueDir::In, QueueId::at(input)),
            None => (QueueDir::Out, QueueId::at(self.number())),
        }
    }
}

impl TaskId {
    /// The greatest id, which no task of a chip has.
    const LAST: TaskId = TaskId::at(254);

    /// The task of a number at run time; one that is too large names no task.
    pub fn clamped(number: u64) -> TaskId {
        TaskId::of(number).unwrap_or(TaskId::LAST)
    }
}

/// The data task of the color.
impl From<Color> for TaskId {
    fn from(color: Color) -> TaskId {
        TaskId::at(color.number())
    }
}

/// The data task of the input queue.
impl From<QueueId> for TaskId {
    fn from(queue: QueueId) -> TaskId {
        TaskId(queue.0)
    }
}

/// The microthread that has the number of the queue.
impl From<QueueId> for MicrothreadId {
    fn from(queue: QueueId) -> MicrothreadId {
        MicrothreadId(queue.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{FlushId, QueueDir, QueueId, TaskId};

    #[test]
    fn an_optional_id_is_one_byte_and_255_is_none() {
        assert_eq!(size_of::<Option<QueueId>>(), 1);
        assert_eq!((QueueId::new(254).map(u32::from), QueueId::new(255)), (Some(254), None));
        assert_eq!((TaskId::clamped(7), TaskId::clamped(300)), (TaskId::at(7), TaskId::at(254)));
        assert_eq!((TaskId::at(31).bit(), TaskId::at(32).bit()), (1 << 31, 0));
    }

    #[test]
    fn input_queues_are_flushed_by_numbers_behind_those_of_output_queues() {
        let three = QueueId::at(3);
        assert_eq!(FlushId::of_queue(QueueDir::Out, three), FlushId::at(3));
        assert_eq!(FlushId::of_queue(QueueDir::In, three), FlushId::at(11));
        assert_eq!(FlushId::at(11).queue(), (QueueDir::In, three));
    }
}
