// A hang in words.
#include <dlfcn.h>
#include <execinfo.h>

#include <cstdlib>

#include "src/app/process/fault_text.hpp"
#include "src/app/process/hang_monitor.hpp"

namespace app {
namespace {

using wfp::ledger::Place;

// The interrupted instruction is one, the others are return addresses.
Place place_at(const std::vector<void*>& stack, std::size_t index) {
  return index == 0 ? wfp::ledger::place_of(stack[0]) : wfp::ledger::place_of_call(stack[index]);
}

std::string raw_text(const std::vector<void*>& stack) {
  std::string text;
  char** const lines = backtrace_symbols(stack.data(), static_cast<int>(stack.size()));
  for (std::size_t i = 0; lines != nullptr && i < stack.size(); ++i) text += std::string("  ") + lines[i] + "\n";
  std::free(lines);
  return text;
}

// Of ours, the one that the driver called.
std::string called_function(const std::vector<void*>& stack) {
  std::size_t first = 0;
  while (first < stack.size() && !place_at(stack, first)) ++first;
  if (first == 0 || first == stack.size()) return {};
  Dl_info symbol{};
  const auto* const inside = static_cast<const char*>(stack[first - 1]) - (first == 1 ? 0 : 1);
  if (dladdr(inside, &symbol) == 0 || symbol.dli_sname == nullptr) return {};
  return "  " + std::string(symbol.dli_sname) + "\n";
}

std::string stack_text(const std::vector<void*>& stack, PlaceClient& places) {
  const auto frames = driver_frames(stack, places);
  if (frames.empty()) return raw_text(stack);
  std::string text = called_function(stack);
  for (const auto& frame : frames) text += "  " + text_of(frame) + "\n";
  return lacks_debug_information(frames) ? text + "  " + kDebugHint + "\n" : text;
}

std::string other_text(const ThreadPicture& picture, PlaceClient& places) {
  const std::string who = picture.name.empty() ? "thread " + std::to_string(picture.thread) : picture.name;
  return "*** " + who + (picture.runs ? " runs:\n" : " waits:\n") + stack_text(picture.stack, places);
}

}  // namespace

std::vector<SourceFrame> driver_frames(const std::vector<void*>& stack, PlaceClient& places) {
  std::vector<Place> found;
  for (std::size_t i = 0; i < stack.size(); ++i)
    if (const Place place = place_at(stack, i)) found.push_back(place);
  return places.frames_of(found);
}

std::string text_of(const Hang& hang, PlaceClient& places) {
  FixedText first;
  add_hang(first, hang.thread.call, hang.thread.irql, static_cast<unsigned>(hang.after.count()));
  std::string text{first.data(), first.size()};
  text += std::string("*** driver ") + kept_driver_name(hang.thread.driver) + " has not come back from " +
          wfp::ledger::phrase_of(hang.thread.call) + " for " + std::to_string(hang.after.count()) + " s: it " +
          (hang.thread.runs ? "loops" : "waits") + "\n" + hang.thread.where;
  if (!hang.thread.packet.empty()) text += "*** packet: " + hang.thread.packet + "\n";
  if (!hang.waits.empty()) text += "*** who waits for what:\n" + hang.waits;
  text += "*** stack:\n" + stack_text(hang.thread.stack, places);
  for (const auto& other : hang.others) text += other_text(other, places);
  return text;
}

}  // namespace app
