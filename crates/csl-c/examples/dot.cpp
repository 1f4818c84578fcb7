// The program of dot.c in C++: a class closes the runtime and throws what goes wrong, copies are not waited for one by one.

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "waferlab.h"

namespace {

class Wafer {
 public:
  explicit Wafer(const std::string &folder) { check(waferlab_open(folder.c_str(), 1, &handle_)); }
  ~Wafer() { waferlab_close(handle_); }
  Wafer(const Wafer &) = delete;
  Wafer &operator=(const Wafer &) = delete;

  waferlab_runtime *get() { return handle_; }

  uint16_t id(const char *name) {
    uint16_t found = 0;
    check(waferlab_get_id(handle_, name, &found));
    return found;
  }

  static void check(waferlab_status status) {
    if (status != WAFERLAB_STATUS_OK) throw std::runtime_error(waferlab_last_error());
  }

 private:
  waferlab_runtime *handle_ = nullptr;
};

waferlab_copy area(uint32_t x, uint32_t width, uint32_t elements_per_pe) {
  waferlab_copy copy{};
  copy.x = x;
  copy.width = width;
  copy.height = 1;
  copy.elements_per_pe = elements_per_pe;
  return copy;
}

float dot(const std::string &folder, uint32_t pes, const std::vector<float> &first, const std::vector<float> &second) {
  Wafer wafer(folder);
  Wafer::check(waferlab_load(wafer.get()));
  Wafer::check(waferlab_run(wafer.get()));

  const waferlab_copy row = area(0, pes, static_cast<uint32_t>(first.size()) / pes);
  const waferlab_copy last = area(pes - 1, 1, 1);
  const waferlab_argument half[] = {waferlab_f32(0.5f)};
  waferlab_task task = 0;
  float sum = 0.0f;
  Wafer::check(waferlab_memcpy_h2d(wafer.get(), wafer.id("a"), first.data(), first.size(), &row, &task));
  Wafer::check(waferlab_memcpy_h2d(wafer.get(), wafer.id("b"), second.data(), second.size(), &row, &task));
  Wafer::check(waferlab_launch(wafer.get(), "dot", half, 1, &task));
  Wafer::check(waferlab_memcpy_d2h(wafer.get(), &sum, 1, wafer.id("sum"), &last, &task));
  // `sum` is written here: the last task is done when all before it are.
  Wafer::check(waferlab_wait(wafer.get(), task));
  Wafer::check(waferlab_stop(wafer.get()));
  std::fputs(waferlab_take_warnings(wafer.get()), stderr);
  return sum;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  const uint32_t pes = 5;
  std::vector<float> first, second;
  float expected = 0.0f;
  for (int at = 0; at < 40; at++) {
    first.push_back(static_cast<float>(at % 7));
    second.push_back(static_cast<float>(at % 5 - 2));
    expected += 0.5f * first.back() * second.back();
  }
  try {
    const float found = dot(argv[1], pes, first, second);
    std::printf("%g, %g expected\n", found, expected);
    return found == expected ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
