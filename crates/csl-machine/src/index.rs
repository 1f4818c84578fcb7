//! Numbers of entries in tables: each table has a type of its own, of which `Option` takes no more room, and which
//! indexes slices and vectors itself.

/// Makes index types: `index_types! { /// A block of a function. pub struct BlockId; }`.
///
/// Note: the number is held plus one, so that 0 can stand for "none"; `u32::MAX` is no number.
#[macro_export]
macro_rules! index_types {
    ($($(#[$doc:meta])* $vis:vis struct $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name(::std::num::NonZeroU32);

        #[allow(dead_code, reason = "each table uses some of these; a private index type would warn of the others")]
        impl $name {
            #[inline]
            $vis const fn new(number: u32) -> $name {
                match ::std::num::NonZeroU32::new(number.wrapping_add(1)) {
                    Some(number) => $name(number),
                    None => panic!("no table is that long"),
                }
            }

            /// The number of the entry at an index of a table.
            #[inline]
            $vis fn at(place: usize) -> $name {
                $name::new(u32::try_from(place).expect("no table is that long"))
            }

            /// The number that the next entry of a table will have.
            #[inline]
            $vis fn next<T>(table: &[T]) -> $name {
                $name::at(table.len())
            }

            /// The number of the entry `places` further on.
            #[inline]
            $vis const fn plus(self, places: u32) -> $name {
                $name::new(self.number() + places)
            }

            #[inline]
            $vis const fn number(self) -> u32 {
                self.0.get() - 1
            }

            /// The number in the 16 bits of instructions and images, whose tables are checked to be short enough.
            #[inline]
            $vis const fn short(self) -> u16 {
                self.number() as u16
            }

            #[inline]
            $vis const fn index(self) -> usize {
                self.number() as usize
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.number())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.number(), f)
            }
        }

        $crate::indexes_tables!($name);
    )*};
}

/// Lets values of a type with a method `index` index slices and vectors.
#[doc(hidden)]
#[macro_export]
macro_rules! indexes_tables {
    ($name:ident) => {
        impl<T> ::std::ops::Index<$name> for [T] {
            type Output = T;

            #[inline]
            fn index(&self, at: $name) -> &T {
                &self[at.index()]
            }
        }

        impl<T> ::std::ops::IndexMut<$name> for [T] {
            #[inline]
            fn index_mut(&mut self, at: $name) -> &mut T {
                &mut self[at.index()]
            }
        }

        impl<T> ::std::ops::Index<$name> for Vec<T> {
            type Output = T;

            #[inline]
            fn index(&self, at: $name) -> &T {
                &self.as_slice()[at.index()]
            }
        }

        impl<T> ::std::ops::IndexMut<$name> for Vec<T> {
            #[inline]
            fn index_mut(&mut self, at: $name) -> &mut T {
                &mut self.as_mut_slice()[at.index()]
            }
        }
    };
}
