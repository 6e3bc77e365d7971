// What the resolver is to find its way in; built once with debug information and once without. The lines are told by
// __LINE__, so that nothing here needs counting.
using Callback = void (*)();

namespace sample {

int inner_line, outer_line, entry_line;

[[gnu::always_inline]] inline void inner(Callback callback) {
  inner_line = __LINE__ + 1;
  callback();
  asm volatile("");  // the call above is no tail call
}

[[gnu::noinline]] void outer(Callback callback) {
  outer_line = __LINE__ + 1;
  inner(callback);
  asm volatile("");
}

}  // namespace sample

extern "C" void sample_entry(Callback callback) {
  sample::entry_line = __LINE__ + 1;
  sample::outer(callback);
  asm volatile("");
}

extern "C" void sample_lines(int* lines) {
  lines[0] = sample::inner_line;
  lines[1] = sample::outer_line;
  lines[2] = sample::entry_line;
}
