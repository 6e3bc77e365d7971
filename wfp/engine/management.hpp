// The management side: sessions, transactions, and the objects that sessions add. What classifications read is the
// snapshot, which a committed transaction replaces as a whole.
//
// One transaction at a time, explicit or implicit (one call outside begin/commit); others wait, through the
// scheduler. A transaction changes the objects in place and remembers how to undo that; the snapshot, and the
// callouts' notices, follow at commit. Reports read the objects at any time and may see what a running transaction
// has added. PASSIVE_LEVEL, any thread, except snapshot(). Errors: the documented STATUS_FWP_* codes. Ownership:
// objects are shared with snapshots; a deleted filter lives until no reader has it and its callout has had its
// notice.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nt/ke.h"
#include "wfp/engine/callouts.hpp"
#include "wfp/engine/snapshot.hpp"
#include "wfp/model/objects.hpp"

namespace wfp::engine {

inline constexpr std::size_t kMaxSessions = 1024;
inline constexpr std::size_t kMaxSubLayers = 65536;  // documented: STATUS_FWP_TOO_MANY_SUBLAYERS beyond it
inline constexpr std::size_t kMaxFilters = 1'000'000;
inline constexpr std::size_t kMaxEnumerations = 1024;
inline constexpr std::uint16_t kUniversalWeight = 0x8000;  // not documented; drivers' sublayers go below

using SessionId = std::uint64_t;  // never used again, so that a stale handle fails
using EnumerationId = std::uint64_t;

struct SessionOptions {
  GUID key{};  // zero: none
  std::u16string name{};
  bool is_dynamic = false;    // what it adds vanishes when it closes
  std::uint32_t wait_ms = 0;  // for the transaction lock; 0: without limit, as documented for kernel callers
};

template <class T>
using Page = std::vector<std::shared_ptr<const T>>;

template <class T>
using ByKey = std::map<GUID, std::shared_ptr<const T>, GuidOrder>;

struct Objects {
  ByKey<model::Provider> providers;
  ByKey<model::SubLayer> sublayers;
  ByKey<model::CalloutObject> callouts;
  std::map<std::uint64_t, std::shared_ptr<CompiledFilter>> filters;
  std::map<GUID, std::uint64_t, GuidOrder> filter_ids;
};

class Management {
 public:
  using Filters = std::vector<std::shared_ptr<CompiledFilter>>;
  // Runs after every new snapshot, on the committing thread, with what is new in it and what is gone.
  using Published = std::function<void(const Filters& added, const Filters& deleted)>;

  Management(kernel::Scheduler& scheduler, CalloutTable& callouts, Published published);
  ~Management();
  Management(const Management&) = delete;
  Management& operator=(const Management&) = delete;

  // STATUS_FWP_ALREADY_EXISTS: a session with this key is open.
  NTSTATUS open(const SessionOptions& options, SessionId& session);
  NTSTATUS close(SessionId session);  // aborts its transaction
  std::vector<SessionId> sessions_of(ledger::DriverId driver) const;

  NTSTATUS begin(SessionId session, bool read_only);
  NTSTATUS commit(SessionId session);
  NTSTATUS abort(SessionId session);

  // The zero key asks for one; it is written back into what the caller sees by get.
  NTSTATUS add(SessionId session, model::Provider provider);
  NTSTATUS add(SessionId session, model::SubLayer sublayer);
  NTSTATUS add(SessionId session, model::CalloutObject callout, std::uint32_t* id);
  NTSTATUS add(SessionId session, model::Filter filter, std::uint64_t* id);
  NTSTATUS remove_provider(SessionId session, const GUID& key);
  NTSTATUS remove_sublayer(SessionId session, const GUID& key);
  NTSTATUS remove_callout(SessionId session, const GUID& key);
  NTSTATUS remove_callout(SessionId session, std::uint32_t id);
  NTSTATUS remove_filter(SessionId session, const GUID& key);
  NTSTATUS remove_filter(SessionId session, std::uint64_t id);

  // As the session sees it: inside its transaction, or between those of others.
  NTSTATUS get_provider(SessionId session, const GUID& key, std::shared_ptr<const model::Provider>& out);
  NTSTATUS get_sublayer(SessionId session, const GUID& key, std::shared_ptr<const model::SubLayer>& out);
  NTSTATUS get_callout(SessionId session, const GUID& key, std::shared_ptr<const model::CalloutObject>& out);
  NTSTATUS get_callout(SessionId session, std::uint32_t id, std::shared_ptr<const model::CalloutObject>& out);
  NTSTATUS get_filter(SessionId session, const GUID& key, std::shared_ptr<const CompiledFilter>& out);
  NTSTATUS get_filter(SessionId session, std::uint64_t id, std::shared_ptr<const CompiledFilter>& out);
  NTSTATUS get_layer(SessionId session, const GUID& key, std::shared_ptr<const model::Layer>& out);
  NTSTATUS get_layer(SessionId session, std::uint16_t id, std::shared_ptr<const model::Layer>& out);

  // An enumeration is what there was, as above, when it began, whatever comes after; it ends with its session. T:
  // model::Layer, model::SubLayer, model::CalloutObject, CompiledFilter (by layer, in the order of evaluation). A page
  // of fewer than `count` is the last. STATUS_INVALID_HANDLE: no such enumeration of this session and this T;
  // STATUS_INSUFFICIENT_RESOURCES: kMaxEnumerations.
  template <class T>
  NTSTATUS enumerate(SessionId session, const std::function<bool(const T&)>& is_wanted, EnumerationId& id);
  template <class T>
  NTSTATUS next_page(SessionId session, EnumerationId id, std::size_t count, Page<T>& out);
  NTSTATUS end_enumeration(SessionId session, EnumerationId id);

  // For reports. [any thread]
  std::vector<std::shared_ptr<const model::CalloutObject>> callouts() const;
  std::shared_ptr<const model::SubLayer> sublayer(const GUID& key) const;

  // Under an epoch::Guard. [any thread, any IRQL]
  const Snapshot& snapshot() const { return *snapshot_.load(); }

  // Published filters that name this callout. [any thread]
  std::size_t filters_of_callout(const GUID& callout) const;

  void collect();

 private:
  struct Session {
    SessionOptions options;
    ledger::DriverId driver = ledger::kNoDriver;
    bool in_transaction = false;
    bool read_only = false;
  };
  struct Enumeration {
    SessionId session = 0;
    std::variant<Page<model::Layer>, Page<model::SubLayer>, Page<model::CalloutObject>, Page<CompiledFilter>> all;
    std::size_t next = 0;
  };
  struct Retired {
    std::uint64_t ticket;
    std::unique_ptr<const Snapshot> snapshot;
    std::vector<std::shared_ptr<CompiledFilter>> deleted;  // whose callouts are still to be told
  };
  using Undo = std::function<void()>;

  // transaction.cpp
  NTSTATUS lock_transactions(std::uint32_t wait_ms);
  void unlock_transactions();
  std::optional<Session> find(SessionId session) const;
  NTSTATUS change(SessionId session, const std::function<NTSTATUS(const Session&)>& apply);
  NTSTATUS read(SessionId session, const std::function<NTSTATUS()>& look);
  NTSTATUS finish();  // publishes; or undoes, when a callout refuses a filter
  void roll_back();
  void end_of(SessionId session);

  // publish.cpp
  bool announce_added();
  void publish();
  void retire(std::unique_ptr<const Snapshot> old, std::vector<std::shared_ptr<CompiledFilter>> deleted);
  void wait_for_readers(std::uint64_t ticket);

  // add_remove.cpp
  template <class T>
  NTSTATUS insert(ByKey<T>& into, T object, SessionId session, const Session& options);
  template <class T>
  NTSTATUS erase(ByKey<T>& from, const GUID& key, NTSTATUS not_found, SessionId session, const Session& options);
  NTSTATUS insert_filter(model::Filter filter, SessionId session, const Session& options, std::uint64_t* id);
  NTSTATUS erase_filter(std::uint64_t id, SessionId session, const Session& options);
  NTSTATUS check_filter(model::Filter& filter) const;
  bool is_referred_to(const GUID& key) const;
  void erase_all_of(SessionId session, const Session& options);

  // management.cpp
  void add_builtin_sublayers();
  void add_builtin_callouts();
  GUID make_key();

  // lookup.cpp
  NTSTATUS find_filter(std::uint64_t id, std::shared_ptr<const CompiledFilter>& out) const;

  kernel::Scheduler& scheduler_;
  CalloutTable& callouts_table_;
  const Published published_;

  KEVENT transaction_free_{};                      // signalled: nobody has a transaction
  std::atomic<PKTHREAD> working_thread_{nullptr};  // runs commit's notices: may not wait for the transaction lock

  mutable std::mutex lock_;  // guards what follows, held briefly; changed only by the holder of the transaction
  std::map<SessionId, Session> sessions_;
  SessionId last_session_ = 0;
  Objects objects_;
  std::uint64_t last_filter_ = 0, last_key_ = 0;
  std::map<EnumerationId, Enumeration> enumerations_;
  EnumerationId last_enumeration_ = 0;

  // of the running transaction
  std::vector<Undo> undo_;
  std::vector<std::shared_ptr<CompiledFilter>> added_, deleted_;

  std::atomic<const Snapshot*> snapshot_;
  std::mutex retired_lock_;
  std::vector<Retired> retired_;
};

}  // namespace wfp::engine
