//! What host programs name: exported symbols and functions, colors, PEs.

use csl_image::ParamType;
use csl_machine::{Color, Coord};
use csl_sim::{Endpoint, Names, RequestError};

use super::Runtime;
use crate::error::{HostError, NameError};

impl Runtime {
    /// The number of an exported symbol or function.
    ///
    /// # Errors
    /// [`HostError::Name`], which lists all exported names.
    pub fn id(&self, name: &str) -> Result<u16, HostError> {
        let exports = || Names::exported(&self.image);
        let export = self.image.export_named(name);
        export
            .map(|export| export.id)
            .ok_or_else(|| NameError::Export { name: name.to_owned(), exports: exports() }.into())
    }

    /// The exported symbol that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Request`] for a number beyond the range of ids; the copy itself checks that the program has the id.
    pub fn symbol(&self, number: u32) -> Result<Endpoint, HostError> {
        let exports = || Names::exported(&self.image);
        let id = u16::try_from(number);
        Ok(Endpoint::Symbol(id.map_err(|_| RequestError::NoSuchExport { number, exports: exports() })?))
    }

    /// The color that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Request`] for a number beyond the range of colors.
    pub fn color(&self, number: u32) -> Result<Endpoint, HostError> {
        let colors = self.image.arch.chip().fabric.colors;
        let color = u8::try_from(number).ok().and_then(Color::new);
        Ok(Endpoint::Color(color.ok_or(RequestError::NotAColor { number, colors })?))
    }

    /// The name of the exported function that a host program names by a number.
    ///
    /// # Errors
    /// [`HostError::Name`] when no export has the number, which lists the functions, or it is data.
    pub fn function_name(&self, number: u32) -> Result<&str, HostError> {
        let Some(export) = u16::try_from(number).ok().and_then(|id| self.image.export(id)) else {
            return Err(NameError::FunctionNumber { number, functions: self.functions() }.into());
        };
        match export.params() {
            Some(_) => Ok(&export.name),
            None => Err(NameError::NotAFunction { name: export.name.clone(), functions: self.functions() }.into()),
        }
    }

    /// The names of the exported functions.
    fn functions(&self) -> Names {
        let functions = self.image.exports.iter().filter(|export| export.params().is_some());
        Names(functions.map(|export| export.name.clone()).collect())
    }

    /// The exported function of this name: its id and its parameters.
    pub(super) fn function(&self, name: &str) -> Result<(u16, Vec<ParamType>), NameError> {
        let (image, name) = (&self.image, name.to_owned());
        let Some(export) = image.export_named(&name) else {
            return Err(NameError::Function { name, functions: self.functions() });
        };
        let params = export.params().ok_or_else(|| NameError::NotAFunction { name, functions: self.functions() })?;
        Ok((export.id, params.to_vec()))
    }

    /// Column and row in the whole fabric of the PE at a column and row of the program's rectangle.
    pub fn to_physical(&self, x: u32, y: u32) -> Coord {
        self.image.to_physical(x, y)
    }
}
