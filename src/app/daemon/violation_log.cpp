#include "src/app/daemon/violation_log.hpp"

#include <algorithm>

namespace app {
namespace {

std::string line_of(const output::ViolationRecord& record) {
  std::string line = record.rule;
  if (!record.driver.empty()) line += " by " + record.driver;
  if (!record.stack.empty()) line += " at " + text_of(record.stack.front());
  line += ": " + record.message;
  for (const auto& origin : record.origins)
    if (!origin.stack.empty()) line += std::string("; ") + origin.what + " at " + text_of(origin.stack.front());
  if (!record.callout.empty() && record.message.find(record.callout) == std::string::npos)
    line += "; in " + record.callout;
  if (!record.packet.empty()) line += "; packet: " + record.packet;
  return line;
}

bool are_same(const wfp::ledger::Violation& one, const wfp::ledger::Violation& other) {
  return one.rule == other.rule && one.driver == other.driver && one.message == other.message &&
         one.places == other.places && one.is_note == other.is_note;
}

}  // namespace

void ViolationLog::start() {
  thread_ = std::thread([this] { run(); });
  wfp::ledger::set_sink([this](const wfp::ledger::Violation& violation) { queue_.push(violation); });
}

void ViolationLog::stop() {
  if (!thread_.joinable()) return;
  wfp::ledger::set_sink({});
  queue_.stop();
  thread_.join();
}

void ViolationLog::run() {
  std::vector<wfp::ledger::Violation> taken;
  while (queue_.take(taken)) {
    for (const auto& violation : taken) {
      auto record = resolve(violation);
      write(violation, record);
      const std::lock_guard lock(mutex_);
      resolved_.push_back({violation, std::move(record)});
    }
    queue_.all_written();
  }
}

output::ViolationRecord ViolationLog::resolve(const wfp::ledger::Violation& violation) {
  output::ViolationRecord record{.rule = violation.rule,
                                 .message = violation.message,
                                 .driver = wfp::ledger::driver_name(violation.driver),
                                 .callout = violation.callout,
                                 .packet = violation.packet,
                                 .count = violation.count,
                                 .stack = places_.frames_of(violation.places),
                                 .origins = {}};
  for (const auto& origin : violation.origins)
    record.origins.push_back({origin.what, origin.count, places_.frames_of(origin.places)});
  return record;
}

void ViolationLog::write(const wfp::ledger::Violation& violation, const output::ViolationRecord& record) {
  const auto level = violation.is_note ? stack::LogLevel::Warning : stack::LogLevel::Error;
  logging_.write(level, violation.is_note ? "note" : "violation", line_of(record));
}

std::vector<output::ViolationRecord> ViolationLog::records(
    const std::vector<wfp::ledger::Violation>& violations) const {
  std::vector<output::ViolationRecord> records;
  const std::lock_guard lock(mutex_);
  for (const auto& violation : violations) {
    const auto known =
        std::ranges::find_if(resolved_, [&](const Resolved& one) { return are_same(one.violation, violation); });
    if (known == resolved_.end()) continue;  // reported while nobody listened
    records.push_back(known->record);
    records.back().count = violation.count;
  }
  return records;
}

}  // namespace app
