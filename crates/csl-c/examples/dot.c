/*
 * The dot product of two vectors on a row of PEs, checked against plain C. The argument is the output folder of
 *
 *     cslc crates/waferlab/examples/dot/layout.csl --memcpy --params=width:5,n:8 -o out
 */
#include <stdio.h>
#include <stdlib.h>

#include "waferlab.h"

enum { PES = 5, EACH = 8 };

static void check(waferlab_status status) {
  if (status != WAFERLAB_STATUS_OK) {
    fprintf(stderr, "%s\n", waferlab_last_error());
    exit(1);
  }
}

int main(int argc, char **argv) {
  waferlab_runtime *wafer;
  uint16_t a, b, sum;
  float first[PES * EACH], second[PES * EACH], found = 0.0f, expected = 0.0f;

  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  /* Small whole numbers, so that the sum is exact in any order. */
  for (int at = 0; at < PES * EACH; at++) {
    first[at] = (float)(at % 7);
    second[at] = (float)(at % 5 - 2);
    expected += 0.5f * first[at] * second[at];
  }

  check(waferlab_open(argv[1], 1, &wafer));
  check(waferlab_load(wafer));
  check(waferlab_run(wafer));
  check(waferlab_get_id(wafer, "a", &a));
  check(waferlab_get_id(wafer, "b", &b));
  check(waferlab_get_id(wafer, "sum", &sum));

  waferlab_copy row = {.width = PES, .height = 1, .elements_per_pe = EACH};
  check(waferlab_memcpy_h2d(wafer, a, first, PES * EACH, &row, NULL));
  check(waferlab_memcpy_h2d(wafer, b, second, PES * EACH, &row, NULL));

  waferlab_argument half[] = {waferlab_f32(0.5f)};
  check(waferlab_launch(wafer, "dot", half, 1, NULL));

  waferlab_copy last = {.x = PES - 1, .width = 1, .height = 1, .elements_per_pe = 1};
  check(waferlab_memcpy_d2h(wafer, &found, 1, sum, &last, NULL));
  check(waferlab_stop(wafer));
  fputs(waferlab_take_prints(wafer), stdout);
  fputs(waferlab_take_warnings(wafer), stderr);
  printf("%g in %llu cycles\n", found, (unsigned long long)waferlab_cycles(wafer));
  waferlab_close(wafer);

  if (found != expected) {
    fprintf(stderr, "%g is expected\n", expected);
    return 1;
  }
  return 0;
}
