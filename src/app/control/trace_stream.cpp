#include "src/app/control/trace_stream.hpp"

#include <utility>

namespace app::control {

TraceStream::TraceStream(TraceHub& hub, std::string layer, output::TraceFormat format, std::uint64_t count,
                         std::function<void()> changed)
    : hub_(hub),
      format_(format),
      bounded_(count > 0),
      left_(count),
      listener_(hub.listen(std::move(layer), std::move(changed))) {}

TraceStream::~TraceStream() { hub_.leave(listener_); }

bool TraceStream::next_batch() {
  batch_ = listener_->take();
  formatted_ = 0;
  return !batch_.entries.empty() || batch_.dropped > 0;
}

// A slow client takes its time: what comes meanwhile waits in the listener, or is dropped and counted there.
bool TraceStream::pump(ClientSocket& client) {
  for (;;) {
    while (formatted_ < batch_.entries.size()) {
      if (!client.has_room()) return true;
      client.send_text(output::format(batch_.entries[formatted_++], format_));
      if (bounded_ && --left_ == 0) return false;
    }
    if (const auto dropped = std::exchange(batch_.dropped, 0); dropped > 0)
      client.send_text(output::format_dropped(dropped, format_));
    if (!client.has_room() || !next_batch()) return true;
  }
}

}  // namespace app::control
