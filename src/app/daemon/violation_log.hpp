// What the verifier reports, in the log and for the report: each violation and note as soon as it is made, with its
// places in words. Finding those takes files and another process, so it is done by a thread of its own: the thread
// that made the mistake, often the stack's, only puts it into a queue. A fault report waits for what is queued.
#pragma once

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "src/app/output/record_queue.hpp"
#include "src/app/output/report.hpp"
#include "src/app/places/place_client.hpp"
#include "src/app/process/logging.hpp"
#include "wfp/ledger/violation.hpp"

namespace app {

class ViolationLog {
 public:
  ViolationLog(Logging& logging, tap::FileDescriptor places) : logging_(logging), places_(std::move(places)) {}
  ~ViolationLog() { stop(); }
  ViolationLog(const ViolationLog&) = delete;
  ViolationLog& operator=(const ViolationLog&) = delete;

  void start();  // listens to the ledger
  void stop();   // when all that was reported is in the log

  PlaceClient& places() { return places_; }

  // As the ledger has it now, with the count that it has reached. Those that the log has; after stop() all. [any thread]
  std::vector<output::ViolationRecord> records(const std::vector<wfp::ledger::Violation>& violations) const;

 private:
  struct Resolved {
    wfp::ledger::Violation violation;
    output::ViolationRecord record;
  };
  void run();
  output::ViolationRecord resolve(const wfp::ledger::Violation& violation);
  void write(const wfp::ledger::Violation& violation, const output::ViolationRecord& record);

  Logging& logging_;
  PlaceClient places_;
  std::thread thread_;
  // The ledger tells each once: there is always room.
  output::RecordQueue<wfp::ledger::Violation> queue_{2 * wfp::ledger::kViolationLimit};
  mutable std::mutex mutex_;
  std::vector<Resolved> resolved_;  // guarded by mutex_
};

}  // namespace app
