#include "stack/tcp/input_closed.hpp"

namespace stack::tcp {

std::optional<Answer> reset_for(const Segment& segment, bool timestamps) {
  if (segment.rst()) return std::nullopt;
  Answer answer;
  if (segment.ack()) {
    answer.seq = segment.ack_number;
    answer.flags = flag::kRst;
  } else {
    answer.ack_number = segment.end();
    answer.flags = flag::kRst | flag::kAck;
  }
  if (timestamps && segment.options.timestamps)
    answer.options.timestamps = wire::Timestamps{0, segment.options.timestamps->value};
  return answer;
}

}  // namespace stack::tcp
