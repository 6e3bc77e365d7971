// Sessions and transactions of Management.
#include <algorithm>
#include <chrono>

#include "wfp/engine/management.hpp"

namespace wfp::engine {
namespace {

const void* ledger_key(SessionId session) { return reinterpret_cast<const void*>(session); }

}  // namespace

NTSTATUS Management::open(const SessionOptions& options, SessionId& session) {
  Session made;
  made.options = options;
  made.driver = ledger::current_driver();
  {
    const std::lock_guard lock(lock_);
    if (sessions_.size() == kMaxSessions) return STATUS_INSUFFICIENT_RESOURCES;
    const auto has_its_key = [&](const auto& open) { return open.second.options.key == options.key; };
    if (!is_zero(options.key) && std::ranges::any_of(sessions_, has_its_key)) return STATUS_FWP_ALREADY_EXISTS;
    session = ++last_session_;
    sessions_.emplace(session, made);
  }
  ledger::acquire(ledger::Kind::engine_session, ledger_key(session), "FwpmEngineOpen0");
  return STATUS_SUCCESS;
}

NTSTATUS Management::close(SessionId session) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (found->in_transaction) abort(session);
  if (found->options.is_dynamic) {
    // Unlike a call of its own, closing waits without limit: what the session added must not stay.
    if (const NTSTATUS status = lock_transactions(0); !NT_SUCCESS(status)) return status;
    erase_all_of(session, *found);
    finish();
    unlock_transactions();
  }
  {
    const std::lock_guard lock(lock_);
    sessions_.erase(session);
    std::erase_if(enumerations_, [&](const auto& one) { return one.second.session == session; });
  }
  ledger::release(ledger::Kind::engine_session, ledger_key(session));
  return STATUS_SUCCESS;
}

std::vector<SessionId> Management::sessions_of(ledger::DriverId driver) const {
  const std::lock_guard lock(lock_);
  std::vector<SessionId> out;
  for (const auto& [id, session] : sessions_)
    if (session.driver == driver) out.push_back(id);
  return out;
}

std::optional<Management::Session> Management::find(SessionId session) const {
  const std::lock_guard lock(lock_);
  const auto found = sessions_.find(session);
  return found != sessions_.end() ? std::optional(found->second) : std::nullopt;
}

// --- the lock ---

NTSTATUS Management::lock_transactions(std::uint32_t wait_ms) {
  if (working_thread_.load() == &scheduler_.current()) return STATUS_FWP_TXN_IN_PROGRESS;  // from a notify function
  const kernel::Instant deadline =
      wait_ms == 0 ? kernel::kNever : scheduler_.now() + std::chrono::milliseconds(wait_ms);
  return scheduler_.wait(&transaction_free_, deadline) == STATUS_TIMEOUT ? STATUS_FWP_TIMEOUT : STATUS_SUCCESS;
}

void Management::unlock_transactions() { scheduler_.set_state(transaction_free_.Header, 1); }

// --- explicit ---

NTSTATUS Management::begin(SessionId session, bool read_only) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (found->in_transaction) return STATUS_FWP_TXN_IN_PROGRESS;
  if (const NTSTATUS status = lock_transactions(found->options.wait_ms); !NT_SUCCESS(status)) return status;
  {
    const std::lock_guard lock(lock_);
    const auto again = sessions_.find(session);  // another thread may have closed it meanwhile, or begun
    if (again != sessions_.end() && !again->second.in_transaction) {
      again->second.in_transaction = true;
      again->second.read_only = read_only;
      return STATUS_SUCCESS;
    }
  }
  unlock_transactions();
  return STATUS_FWP_TXN_ABORTED;
}

NTSTATUS Management::commit(SessionId session) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (!found->in_transaction) return STATUS_FWP_NO_TXN_IN_PROGRESS;
  const NTSTATUS status = found->read_only ? STATUS_SUCCESS : finish();
  end_of(session);
  return status;
}

NTSTATUS Management::abort(SessionId session) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (!found->in_transaction) return STATUS_FWP_NO_TXN_IN_PROGRESS;
  roll_back();
  end_of(session);
  return STATUS_SUCCESS;
}

void Management::end_of(SessionId session) {
  {
    const std::lock_guard lock(lock_);
    if (const auto found = sessions_.find(session); found != sessions_.end()) found->second.in_transaction = false;
  }
  unlock_transactions();
}

// --- one call, inside a transaction or as one ---

NTSTATUS Management::change(SessionId session, const std::function<NTSTATUS(const Session&)>& apply) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (found->in_transaction && found->read_only) return STATUS_FWP_INCOMPATIBLE_TXN;
  if (!found->in_transaction)
    if (const NTSTATUS status = lock_transactions(found->options.wait_ms); !NT_SUCCESS(status)) return status;
  NTSTATUS status;
  {
    const std::lock_guard lock(lock_);
    status = apply(*found);
  }
  if (found->in_transaction) return status;  // a failed call does not undo the earlier ones
  if (NT_SUCCESS(status)) status = finish();
  unlock_transactions();
  return status;
}

NTSTATUS Management::read(SessionId session, const std::function<NTSTATUS()>& look) {
  const auto found = find(session);
  if (!found) return STATUS_INVALID_HANDLE;
  if (!found->in_transaction)
    if (const NTSTATUS status = lock_transactions(found->options.wait_ms); !NT_SUCCESS(status)) return status;
  NTSTATUS status;
  {
    const std::lock_guard lock(lock_);
    status = look();
  }
  if (!found->in_transaction) unlock_transactions();
  return status;
}

NTSTATUS Management::finish() {
  working_thread_.store(&scheduler_.current());
  const bool is_accepted = announce_added();
  if (is_accepted)
    publish();
  else
    roll_back();
  working_thread_.store(nullptr);
  return is_accepted ? STATUS_SUCCESS : STATUS_FWP_CALLOUT_NOTIFICATION_FAILED;
}

void Management::roll_back() {
  const std::lock_guard lock(lock_);
  for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
  added_.clear();
  deleted_.clear();
}

}  // namespace wfp::engine
