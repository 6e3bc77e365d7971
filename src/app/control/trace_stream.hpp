// `wfptap trace`: classify calls as text, as many as were asked for.
#pragma once

#include "src/app/control/stream.hpp"
#include "src/app/control/trace_hub.hpp"
#include "src/app/output/trace_format.hpp"

namespace app::control {

class TraceStream final : public Stream {
 public:
  // `count` 0: no end. `layer` as TraceHub::listen() wants it. The reply has been sent.
  TraceStream(TraceHub& hub, std::string layer, output::TraceFormat format, std::uint64_t count,
              std::function<void()> changed);
  ~TraceStream() override;

  bool pump(ClientSocket& client) override;
  bool reads_input() const override { return false; }
  void say_goodbye(ClientSocket&, std::string_view) override {}  // a trace has no place for words

 private:
  bool next_batch();

  TraceHub& hub_;
  const output::TraceFormat format_;
  const bool bounded_;
  std::uint64_t left_;
  std::shared_ptr<TraceListener> listener_;
  TraceListener::Batch batch_;
  std::size_t formatted_ = 0;  // of batch_
};

}  // namespace app::control
