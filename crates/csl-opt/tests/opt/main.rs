mod passes;
mod random;
