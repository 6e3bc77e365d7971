// What the control socket asks of the daemon. Called on the control thread, which serves all clients: nothing here may
// wait. What takes time is done elsewhere, and answered from there.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "src/app/control/mailbox.hpp"
#include "src/app/control/relay.hpp"
#include "src/app/control/trace_hub.hpp"

namespace app::control {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual void handle(const Json& request, Answer answer) = 0;  // everything but trace and connect
  virtual TraceHub& trace() = 0;
  // The full name of the layer that a person may have named without its prefix; empty: there is no such layer.
  virtual std::string layer_name(const std::string& name) = 0;
  // Begins to connect; the relay calls `changed`.
  virtual std::shared_ptr<Relay> connect(const stack::SocketAddress& remote, std::function<void()> changed) = 0;
  virtual void warn(const std::string& sentence) = 0;  // for the log
};

}  // namespace app::control
