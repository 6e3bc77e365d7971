#include "src/app/process/last_report.hpp"

#include <semaphore.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace app {
namespace {

constexpr std::size_t kMaxText = 8192;
constexpr timespec kStep{0, 10'000'000};
constexpr int kSteps = 200;  // 2 s

// Static, because a signal handler reaches for it.
struct Order {
  sem_t wanted;
  std::atomic<bool> has_thread{false}, is_final{false}, is_done{false};
  std::array<char, kMaxText> text{};
  std::size_t size = 0;
};
Order order;

}  // namespace

LastReport::LastReport(std::function<void(const std::string&)> make) : make_(std::move(make)) {
  sem_init(&order.wanted, 0, 0);
  order.is_final = false;
  order.is_done = false;
  thread_ = std::thread{[this] { run(); }};
  order.has_thread = true;
}

LastReport::~LastReport() {
  order.has_thread = false;
  order.is_final = true;
  sem_post(&order.wanted);
  thread_.join();
}

void LastReport::run() {
  while (sem_wait(&order.wanted) != 0) {
  }
  if (order.is_final) return;
  make_(std::string{order.text.data(), order.size});
  order.is_done = true;
}

void make_last_report(const char* bug_check, std::size_t size) {
  if (!order.has_thread.exchange(false)) return;
  order.size = std::min(size, order.text.size());
  std::memcpy(order.text.data(), bug_check, order.size);
  sem_post(&order.wanted);
  for (int i = 0; i < kSteps && !order.is_done; ++i) nanosleep(&kStep, nullptr);
}

}  // namespace app
