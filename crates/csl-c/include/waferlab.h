/*
 * Waferlab for C and C++: runs a program that `cslc` has compiled on a simulated wafer.
 *
 * Every call that can fail returns a waferlab_status; waferlab_last_error then says in words what was wrong. A runtime
 * is used by one thread at a time. Texts are UTF-8 and end with a zero; a text that a call returns belongs to Waferlab and
 * holds until the next call with the same runtime (of waferlab_last_error: until the next call on the same thread).
 *
 * Made of crates/csl-c/src by cbindgen.
 */

#ifndef WAFERLAB_H
#define WAFERLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The program's elements have 32 bits.
 */
#define WAFERLAB_32BIT 0

/**
 * The program's elements have 16 bits, and each is the low half of an item of the host's array.
 */
#define WAFERLAB_16BIT 1

/**
 * The elements of a PE are adjacent: `A[height][width][elements_per_pe]`, the last index fastest.
 */
#define WAFERLAB_ROW_MAJOR 0

/**
 * The first index of that array is fastest.
 */
#define WAFERLAB_COL_MAJOR 1

/**
 * Each PE has elements of its own.
 */
#define WAFERLAB_EACH 0

/**
 * The PEs of a row get the same: the array is `A[height][1][elements_per_pe]`. For copies to the device alone.
 */
#define WAFERLAB_ROWS 1

/**
 * The PEs of a column get the same: the array is `A[1][width][elements_per_pe]`. For copies to the device alone.
 */
#define WAFERLAB_COLUMNS 2

/**
 * How a call has ended.
 */
typedef enum {
  /**
   * As it should.
   */
  WAFERLAB_STATUS_OK = 0,
  /**
   * An argument is wrong; nothing has moved.
   */
  WAFERLAB_STATUS_ARGUMENT = 1,
  /**
   * The run has ended in a fault or a deadlock, which the error's text explains.
   */
  WAFERLAB_STATUS_SIMULATION = 2,
  /**
   * Any other error: no program, calls out of order, files that cannot be written.
   */
  WAFERLAB_STATUS_OTHER = 3,
  /**
   * A fault of Waferlab itself. The runtime can only be closed.
   */
  WAFERLAB_STATUS_PANIC = 4,
} waferlab_status;

/**
 * A compiled program and its machine.
 */
typedef struct waferlab_runtime waferlab_runtime;

/**
 * A copy: which PEs, how many elements of each, how the host's array holds them. A field that is 0 has its usual value, so that
 * the first five are enough.
 */
typedef struct {
  /**
   * The first column of the rectangle of PEs.
   */
  uint32_t x;
  /**
   * Its first row.
   */
  uint32_t y;
  /**
   * Its columns.
   */
  uint32_t width;
  /**
   * Its rows.
   */
  uint32_t height;
  /**
   * The elements of each PE.
   */
  uint32_t elements_per_pe;
  /**
   * WAFERLAB_32BIT or WAFERLAB_16BIT.
   */
  uint32_t data_type;
  /**
   * WAFERLAB_ROW_MAJOR or WAFERLAB_COL_MAJOR.
   */
  uint32_t order;
  /**
   * WAFERLAB_EACH, WAFERLAB_ROWS or WAFERLAB_COLUMNS.
   */
  uint32_t spread;
  /**
   * 1: the number is that of a color to stream on, not of a symbol.
   */
  uint32_t streaming;
  /**
   * From column to column of those that take part; 0 and 1: all do.
   */
  uint32_t column_step;
  /**
   * From row to row.
   */
  uint32_t row_step;
} waferlab_copy;

/**
 * A request that has been made, for waferlab_wait.
 */
typedef uint64_t waferlab_task;

/**
 * An argument of a function, with its type: waferlab_f32(2.5f) and its like make one.
 */
typedef struct {
  /**
   * The type.
   */
  uint32_t kind;
  /**
   * The bits of the value, extended to 32 by its sign; of 16-bit floats those of the `float`.
   */
  uint32_t bits;
} waferlab_argument;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of Waferlab.
 */
const char *waferlab_version(void);

/**
 * What was wrong with the last call on this thread that did not return WAFERLAB_STATUS_OK.
 */
const char *waferlab_last_error(void);

/**
 * Opens the output folder of a compilation, for a run on up to `threads` threads (0: one), and gives a new runtime in
 * `runtime`, to be closed by waferlab_close. The number of threads changes no result.
 */
waferlab_status waferlab_open(const char *folder, uint32_t threads, waferlab_runtime **runtime);

/**
 * Ends the life of a runtime; nothing happens for a null pointer. A program that has not been stopped is dropped.
 */
void waferlab_close(waferlab_runtime *runtime);

/**
 * Logs the run in a folder, which is made if it is not there, and obeys the environment: `sim.log` holds what programs
 * print and the events that SIMFABRIC_DEBUG names; WAFERLAB_MAX_CYCLES and WAFERLAB_CHECK hold. Before waferlab_load;
 * behind it the call is refused with WAFERLAB_STATUS_OTHER.
 */
waferlab_status waferlab_log_to(waferlab_runtime *runtime, const char *folder);

/**
 * Ends the run, with a report, when it has taken so many cycles. Before waferlab_load; behind it the call is refused with
 * WAFERLAB_STATUS_OTHER.
 */
waferlab_status waferlab_limit_cycles(waferlab_runtime *runtime,
                                      uint64_t cycles);

/**
 * Loads the program.
 */
waferlab_status waferlab_load(waferlab_runtime *runtime);

/**
 * Starts the machine, which takes requests from here on. The clock advances only inside calls that wait.
 */
waferlab_status waferlab_run(waferlab_runtime *runtime);

/**
 * Gives the number of an exported symbol, for copies.
 */
waferlab_status waferlab_get_id(waferlab_runtime *runtime, const char *name, uint16_t *id);

/**
 * Copies an array of the host to the PEs that `copy` names, into the symbol with this number, or streams it on the color with
 * this number. The array holds `items` items of 32 bits, in the order that `copy` names; an element of 16 bits is
 * the low half of an item. The array is taken before the call returns.
 *
 * With a null `task` the call waits until the copy is done; else it returns at once, with a task for waferlab_wait.
 */
waferlab_status waferlab_memcpy_h2d(waferlab_runtime *runtime,
                                    uint16_t to,
                                    const void *array,
                                    size_t items,
                                    const waferlab_copy *copy,
                                    waferlab_task *task);

/**
 * Copies from the PEs that `copy` names, from the symbol or color with this number, into an array of the host with room for
 * `items` items of 32 bits.
 *
 * With a null `task` the call waits until the array is written. Else it returns at once: the array has to stay where it is
 * until waferlab_wait, or waferlab_is_done with the answer true, has written it, or the run is stopped or the runtime closed.
 */
waferlab_status waferlab_memcpy_d2h(waferlab_runtime *runtime,
                                    void *array,
                                    size_t items,
                                    uint16_t from,
                                    const waferlab_copy *copy,
                                    waferlab_task *task);

/**
 * Calls an exported function on every PE with `count` arguments, which are checked against the types of its parameters.
 * With a null `task` the call waits until every PE has begun the function.
 */
waferlab_status waferlab_launch(waferlab_runtime *runtime,
                                const char *function,
                                const waferlab_argument *arguments,
                                size_t count,
                                waferlab_task *task);

/**
 * Waits until a task is done. An array that it copies to is written then.
 */
waferlab_status waferlab_wait(waferlab_runtime *runtime, waferlab_task task);

/**
 * Tells whether a task is done; if not, the machine moves on a little. An array that it copies to is written when it is.
 */
waferlab_status waferlab_is_done(waferlab_runtime *runtime,
                                 waferlab_task task,
                                 bool *done);

/**
 * Waits for all requests and launched functions, and ends the run. Variables can be read afterwards. A function that cannot
 * end is a warning.
 */
waferlab_status waferlab_stop(waferlab_runtime *runtime);

/**
 * Clock cycles since the start; 0 for a null pointer.
 */
uint64_t waferlab_cycles(const waferlab_runtime *runtime);

/**
 * The lines that programs have printed since the last call; empty where there are none.
 */
const char *waferlab_take_prints(waferlab_runtime *runtime);

/**
 * The warnings since the last call, each with a line end; empty where there are none.
 */
const char *waferlab_take_warnings(waferlab_runtime *runtime);

/**
 * Copies the first `bytes` bytes of a variable of the PE in this column and row of the program, as they lie in its memory.
 * It is refused where the variable has fewer.
 */
waferlab_status waferlab_read_symbol(waferlab_runtime *runtime,
                                     uint32_t x,
                                     uint32_t y,
                                     const char *name,
                                     void *array,
                                     size_t bytes);

/**
 * An argument of type `bool`.
 */
waferlab_argument waferlab_bool(bool value);

/**
 * An argument of type `i8`.
 */
waferlab_argument waferlab_i8(int8_t value);

/**
 * An argument of type `u8`.
 */
waferlab_argument waferlab_u8(uint8_t value);

/**
 * An argument of type `i16`.
 */
waferlab_argument waferlab_i16(int16_t value);

/**
 * An argument of type `u16`.
 */
waferlab_argument waferlab_u16(uint16_t value);

/**
 * An argument of type `i32`.
 */
waferlab_argument waferlab_i32(int32_t value);

/**
 * An argument of type `u32`.
 */
waferlab_argument waferlab_u32(uint32_t value);

/**
 * An argument of type `f32`.
 */
waferlab_argument waferlab_f32(float value);

/**
 * An argument of the program's 16-bit float type, rounded to it.
 */
waferlab_argument waferlab_f16(float value);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WAFERLAB_H */
