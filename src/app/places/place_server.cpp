#include "src/app/places/place_server.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

namespace app {
namespace {

std::optional<std::string> receive(int fd) {
  std::string message(kMaxPlaceMessage, '\0');
  ssize_t got = 0;
  do {
    got = recv(fd, message.data(), message.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return std::nullopt;
  message.resize(static_cast<std::size_t>(got));
  return message;
}

// "OFFSET PATH"
std::optional<SourceFrame> place_in(const std::string& text) {
  char* end = nullptr;
  SourceFrame place;
  place.offset = std::strtoull(text.c_str(), &end, 16);
  if (*end != ' ' || end == text.c_str()) return std::nullopt;
  place.image = end + 1;
  return place;
}

[[noreturn]] void answer_until_the_end(tap::FileDescriptor fd) {
  prctl(PR_SET_NAME, "wfptap-places");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  if (fd.get() > STDERR_FILENO + 1) close_range(STDERR_FILENO + 1, static_cast<unsigned>(fd.get()) - 1, 0);
  close_range(static_cast<unsigned>(fd.get()) + 1, ~0u, 0);
  PlaceServer server;
  server.listen(std::move(fd));
  while (server.fd() >= 0) server.serve();
  std::_Exit(0);
}

}  // namespace

void PlaceServer::serve() {
  const auto message = receive(fd_.get());
  if (!message) {
    fd_.reset();
    return;
  }
  if (message->front() == kTellStack) return print_stack(message->substr(1));
  const auto text = answer(message->substr(1));
  send(fd_.get(), text.data(), std::min(text.size(), kMaxPlaceMessage), MSG_NOSIGNAL);
}

void PlaceServer::serve_what_is_there() {
  for (pollfd look{fd(), POLLIN, 0}; look.fd >= 0 && poll(&look, 1, 0) > 0; look.fd = fd()) serve();
}

std::string PlaceServer::answer(const std::string& question) {
  const auto place = place_in(question);
  std::string text;
  if (!place) return "\n";
  for (const auto& frame : resolver_.frames_of(place->image, place->offset))
    text += std::string(frame.inlined ? "1" : "0") + "\t" + std::to_string(frame.line) + "\t" + frame.file + "\t" +
            frame.function + "\n";
  return text;
}

void PlaceServer::print_stack(const std::string& message) {
  std::istringstream lines(message);
  std::vector<SourceFrame> theirs, all;
  const bool shows_all = message.starts_with(kAllFrames);
  std::string line;
  for (std::getline(lines, line); std::getline(lines, line);) {
    const bool is_ours = line.starts_with(kOwnFrame);
    const auto place = place_in(is_ours ? line.substr(1) : line);
    if (!place) continue;
    for (auto& frame : resolver_.frames_of(place->image, place->offset)) {
      if (!is_ours) theirs.push_back(frame);
      all.push_back(std::move(frame));
    }
  }
  printed_ = shows_all || theirs.empty() ? all : theirs;
  std::string text = "*** stack:\n";
  for (std::size_t i = 0; i < printed_.size(); ++i) {
    char number[32];
    std::snprintf(number, sizeof number, "  %02zu ", i);
    text.append(number).append(text_of(printed_[i])).append("\n");
  }
  if (lacks_debug_information(theirs)) text.append("*** ").append(kDebugHint).append("\n");
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

tap::FileDescriptor start_place_process() {
  tap::FileDescriptor answering, asking;
  if (!make_place_pair(answering, asking)) return {};
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return {};
  if (child == 0) {
    asking.reset();
    answer_until_the_end(std::move(answering));
  }
  return asking;
}

}  // namespace app
