// What a client has asked for and goes on after its reply: records, or a connection's bytes. On the control thread; no
// function waits.
#pragma once

#include <string_view>

#include "src/app/control/client_socket.hpp"

namespace app::control {

class Stream {
 public:
  virtual ~Stream() = default;  // ends what it stands for

  // Moves what can be moved between the client and the other side; after anything has changed. False: it is over, but
  // for what is still unsent.
  virtual bool pump(ClientSocket& client) = 0;
  // The client's input is for this stream; else its end means that the client is gone.
  virtual bool reads_input() const = 0;
  // The last words to a client whose stream the daemon ends.
  virtual void say_goodbye(ClientSocket& client, std::string_view sentence) = 0;
};

}  // namespace app::control
