#include "tap/uring_setup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>

namespace tap {
namespace {

struct Attempt {
  unsigned flags;
  std::string_view name;
};

// From the best for one thread that enters often (Linux 6.1) down to what the oldest kernel has that we can use.
constexpr std::array kAttempts{
    Attempt{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
            "single issuer, deferred task work"},
    Attempt{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
            "single issuer, cooperative task work"},
    Attempt{IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, "cooperative task work"},
    Attempt{0, "no set-up flags"},
};

std::string_view advice(int code) {
  switch (code) {
    case ENOSYS:
      return "this kernel or container has no io_uring";
    case EPERM:
    case EACCES:
      return "forbidden: by the container's seccomp profile, or by the sysctl kernel.io_uring_disabled, which must "
             "be 0 "
             "(or 1 with the right group)";
    case ENOMEM:
      return "raise the limit on locked memory, `ulimit -l`";
    case EMFILE:
    case ENFILE:
      return "too many open files, `ulimit -n`";
    default:
      return {};
  }
}

std::string missing_part(io_uring& ring) {
  constexpr unsigned kFeatures = IORING_FEAT_EXT_ARG | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_NODROP;
  if ((ring.features & kFeatures) != kFeatures) return "io_uring is too old: Linux 5.11 is needed";
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  if (probe == nullptr) return "io_uring does not tell its operations: Linux 5.11 is needed";
  const std::initializer_list<int> needed{IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_POLL_ADD,
                                          IORING_OP_POLL_REMOVE};
  const bool has_all = std::all_of(needed.begin(), needed.end(),
                                   [probe](int op) { return io_uring_opcode_supported(probe, op) != 0; });
  io_uring_free_probe(probe);
  return has_all ? std::string{} : "io_uring lacks vectored reads, vectored writes or polls";
}

}  // namespace

UringProbe set_up_uring(io_uring& ring) {
  int code = 0;
  for (const Attempt& attempt : kAttempts) {
    io_uring_params params{};
    params.flags = attempt.flags | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE;
    params.cq_entries = 2 * kUringEntries;
    code = io_uring_queue_init_params(kUringEntries, &ring, &params);
    if (code == -EINVAL) continue;
    if (code != 0) break;
    if (std::string missing = missing_part(ring); !missing.empty()) {
      io_uring_queue_exit(&ring);
      return {false, std::move(missing)};
    }
    return {true, std::string{attempt.name}};
  }
  return {false, make_error(-code, "setting up io_uring", advice(-code)).what};
}

UringProbe probe_io_uring() {
  io_uring ring{};
  UringProbe probe = set_up_uring(ring);
  if (probe.available) io_uring_queue_exit(&ring);
  return probe;
}

}  // namespace tap
