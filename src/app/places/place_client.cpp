#include "src/app/places/place_client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sstream>

namespace app {
namespace {

constexpr int kAnswerMilliseconds = 10'000;

std::vector<SourceFrame> frames_in(const std::string& answer, const wfp::ledger::Place& place) {
  std::vector<SourceFrame> frames;
  std::istringstream lines(answer);
  for (std::string inlined, line, file, function; std::getline(lines, inlined, '\t') &&
                                                  std::getline(lines, line, '\t') &&
                                                  std::getline(lines, file, '\t') && std::getline(lines, function);)
    frames.push_back({function, file, static_cast<unsigned>(std::strtoul(line.c_str(), nullptr, 10)), place.image,
                      place.offset, inlined == "1"});
  return frames;
}

}  // namespace

// An answer that came too late would be taken for that of the next question: then there are no more questions.
bool PlaceClient::ask(const std::string& question, std::string& answer) {
  const std::lock_guard lock(mutex_);
  if (fd_.get() < 0) return false;
  answer.resize(kMaxPlaceMessage);
  pollfd ready{fd_.get(), POLLIN, 0};
  const bool answered = send(fd_.get(), question.data(), question.size(), MSG_NOSIGNAL) >= 0 &&
                        poll(&ready, 1, kAnswerMilliseconds) > 0;
  const auto got = answered ? recv(fd_.get(), answer.data(), answer.size(), 0) : -1;
  answer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (got <= 0) fd_.reset();
  return got > 0;
}

std::vector<SourceFrame> PlaceClient::frames_of(const wfp::ledger::Place& place) {
  char offset[24];
  std::snprintf(offset, sizeof offset, "?%zx ", static_cast<std::size_t>(place.offset));
  std::string answer;
  std::vector<SourceFrame> frames;
  if (ask(offset + std::string(place.image), answer)) frames = frames_in(answer, place);
  if (frames.empty()) frames.push_back({.image = place.image, .offset = place.offset});
  return frames;
}

std::vector<SourceFrame> PlaceClient::frames_of(const std::vector<wfp::ledger::Place>& places) {
  std::vector<SourceFrame> frames;
  for (const auto& place : places)
    for (auto& frame : frames_of(place)) frames.push_back(std::move(frame));
  return frames;
}

}  // namespace app
