//! What programs are compared with: an interpreter of WebAssembly, and native code.

use std::hint::black_box;

use wasmi::{Engine, Instance, Linker, Module, Store, TypedFunc};

use crate::seconds;

/// The triple loop of `tests/timing/matmul` as an optimising compiler makes it: one load of each factor and two sums of
/// addresses a step.
const PRODUCT: &str = r#"
(module
  (memory 1)
  (func (export "product")
    (local $i i32) (local $j i32) (local $k i32) (local $a i32) (local $b i32) (local $sum f32)
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $sum (f32.const 0))
        (local.set $a (i32.shl (local.get $i) (i32.const 7)))
        (local.set $b (i32.shl (local.get $j) (i32.const 2)))
        (local.set $k (i32.const 32))
        (loop $steps
          (local.set $sum (f32.add (local.get $sum)
            (f32.mul (f32.load (local.get $a)) (f32.load offset=4096 (local.get $b)))))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (local.set $b (i32.add (local.get $b) (i32.const 128)))
          (br_if $steps (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
        (f32.store offset=8192
          (i32.add (i32.shl (local.get $i) (i32.const 7)) (i32.shl (local.get $j) (i32.const 2))) (local.get $sum))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 32))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 32))))))
"#;

/// Nanoseconds of a multiply-add of a product of 32 x 32 f32 matrices in wasmi, without fuel.
pub fn wasmi_step(rounds: u32) -> f64 {
    let engine = Engine::default();
    let module = Module::new(&engine, PRODUCT).expect("the text is a module");
    let mut store = Store::new(&engine, ());
    let instance: Instance =
        Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("it imports nothing");
    let product: TypedFunc<(), ()> = instance.get_typed_func(&store, "product").expect("it is exported");
    product.call(&mut store, ()).expect("it ends");
    let start = seconds();
    for _ in 0..rounds {
        product.call(&mut store, ()).expect("it ends");
    }
    (seconds() - start) * 1e9 / (f64::from(rounds) * 32.0 * 32.0 * 32.0)
}

/// Nanoseconds of an element of `y += a * x` over `n` f32 in native code.
pub fn native_multiply_add(n: u16, rounds: u32) -> f64 {
    let x = vec![1.0f32; n.into()];
    let mut y = vec![0.5f32; n.into()];
    let start = seconds();
    for _ in 0..rounds {
        let a = black_box(2.0f32);
        for (y, x) in y.iter_mut().zip(&x) {
            *y += a * x;
        }
        black_box(&mut y);
    }
    (seconds() - start) * 1e9 / (f64::from(rounds) * f64::from(n))
}
