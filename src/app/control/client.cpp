#include "src/app/control/client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include "src/app/cli/exit_status.hpp"
#include "src/app/cli/option_values.hpp"
#include "src/app/control/client_streams.hpp"
#include "src/app/control/show_text.hpp"
#include "src/app/control/socket_address.hpp"
#include "src/app/control/socket_path.hpp"

namespace app::control {
namespace {

constexpr std::chrono::milliseconds kConnectPause{20};
constexpr std::chrono::milliseconds kSilence{1500};  // after that a person is told what is waited for

std::string advice(int reason, const std::string& path) {
  if (reason == ENOENT || reason == ECONNREFUSED)
    return "no daemon listens on " + path +
           "; start one with 'wfptap run', or name its socket with --control or "
           "WFPTAP_CONTROL";
  if (reason == EAGAIN)
    return "the daemon on " + path +
           " takes no more clients: many wait already, and it does not come to them; it is stopped or too busy";
  if (reason == EACCES || reason == EPERM) return path + " belongs to another user; run this as the daemon's owner";
  return path + ": " + std::strerror(reason);
}

Json parameters_json(const ClientOptions& options) {
  Json list = Json::array();
  for (const auto& parameter : options.parameters)
    list.push_back({{"driver", parameter.driver}, {"value", parameter.value}, {"data", parameter.data}});
  return list;
}

// The daemon has another working directory: a path is made whole before it is sent; the name of one that ships is
// not.
std::string driver_argument(const std::string& driver) {
  return is_driver_path(driver) ? std::filesystem::absolute(driver).lexically_normal().string() : driver;
}

// What is waited for, when it takes long enough to wonder.
std::string waiting_text(Command command, const ClientOptions& options) {
  if (command == Command::Connect)
    return "no answer from " + options.address + " port " + std::to_string(options.port) +
           " yet; waiting (Ctrl-C ends it)";
  return "the daemon has not answered yet; waiting (Ctrl-C ends it). It may be stopped, or busy with a driver";
}

}  // namespace

std::optional<Client> Client::open(const std::string& path, std::string& error) {
  const auto address = socket_address(path);
  if (!address) return error = too_long(path), std::nullopt;
  const auto deadline = std::chrono::steady_clock::now() + kConnectLimit;
  int reason = 0;
  auto socket = try_connect(*address, reason);
  while (!socket && reason == EAGAIN && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kConnectPause);
    socket = try_connect(*address, reason);
  }
  if (!socket || fcntl(socket.get(), F_SETFL, 0) != 0) {  // it may block from here on
    error = advice(reason, path);
    return std::nullopt;
  }
  return Client{std::move(socket)};
}

void Client::send(const Json& request) {
  // A daemon that refuses has answered already and closed: its reply is read even when nothing could be sent.
  send_message(socket(), request);
}

bool Client::has_answer(std::chrono::milliseconds within) const {
  pollfd look{socket(), POLLIN, 0};
  return poll(&look, 1, static_cast<int>(within.count())) != 0;
}

Reply Client::receive() {
  Json reply;
  if (reader_.next(reply) != MessageReader::Status::Message)
    return Reply::failure("the daemon ended the conversation; its own messages may say why");
  return reply_from(reply);
}

Json request_of(Command command, const ClientOptions& options) {
  switch (command) {
    case Command::Show:
      return {{"command", "show"}, {"topic", options.topic}};
    case Command::FilterAdd: {
      Json request{{"command", "filter add"},    {"layer", options.layer}, {"action", options.action},
                   {"callout", options.callout}, {"name", options.name},   {"conditions", options.conditions}};
      if (options.weight) request["weight"] = *options.weight;
      return request;
    }
    case Command::FilterDelete:
      return {{"command", "filter delete"}, {"id", options.filter_id}};
    case Command::DriverLoad:
      return {{"command", "driver load"},
              {"driver", driver_argument(options.driver)},
              {"parameters", parameters_json(options)}};
    case Command::DriverUnload:
      return {{"command", "driver unload"}, {"driver", options.driver}};
    case Command::DriverList:
      return {{"command", "show"}, {"topic", "drivers"}};
    case Command::Trace:
      return {
          {"command", "trace"}, {"layer", options.layer}, {"format", options.trace_format}, {"count", options.count}};
    case Command::Connect:
      return {{"command", "connect"}, {"address", options.address}, {"port", options.port}};
    case Command::Test:
    case Command::Run:
      break;
  }
  return {};
}

int run_client(Command command, const ClientOptions& options) {
  std::string error;
  auto client = Client::open(client_socket_path(options.control_path), error);
  if (!client) {
    std::fprintf(stderr, "wfptap: %s\n", error.c_str());
    return kExitSetup;
  }
  client->send(request_of(command, options));
  if (!client->has_answer(kSilence)) std::fprintf(stderr, "wfptap: %s\n", waiting_text(command, options).c_str());
  const auto reply = client->receive();
  if (!reply.ok) {
    std::fprintf(stderr, "wfptap: %s\n", reply.error.c_str());
    return kExitRefused;
  }
  if (command == Command::Trace) return copy_trace(*client);
  if (command == Command::Connect) return relay_standard_streams(*client);
  const auto topic = command == Command::Show ? options.topic : command == Command::DriverList ? "drivers" : "";
  const auto text = options.json ? reply.result.dump(2) + "\n" : show_text(topic, reply.result);
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? 0 : kExitRefused;
}

}  // namespace app::control
