// How full the memory for received and for written bytes is: the levels of `show status` and of the report, and a log
// line when it is full and when that is over. Used on the stack's thread.
#pragma once

#include "src/app/control/message.hpp"
#include "src/app/output/report.hpp"
#include "src/node/node.hpp"

namespace app {

control::Json memory_levels(node::System& system);
control::Json link_counts(const node::LinkCounts& counts);
void collect_memory(node::System& system, const node::LinkCounts& counts, output::Report& report);

// Looks once a second, from its construction until its end.
class MemoryWatch {
 public:
  MemoryWatch(node::System& system, stack::LogSink& log);
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

 private:
  void look();
  void schedule();

  node::System& system_;
  stack::LogSink& log_;
  node::System::TimerId timer_ = 0;
  std::uint64_t pruned_ = 0, refused_ = 0;  // as of the last look
  unsigned quiet_looks_ = 0;
  bool is_full_ = false;
};

}  // namespace app
