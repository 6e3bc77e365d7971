// The control socket end to end: server and client in one process, a backend and a network made of memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "src/app/control/client.hpp"
#include "src/app/control/server.hpp"
#include "src/app/control/socket_address.hpp"
#include "tests/unit/src/app/services/fake_network.hpp"

namespace app::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// The stack's thread, as far as a relay needs one.
class Loop {
 public:
  Loop() : thread_([this] { run(); }) {}
  ~Loop() {
    post([this] { stopping_ = true; });
    thread_.join();
  }
  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    arrived_.notify_one();
  }
  void call(const std::function<void()>& task) {
    std::promise<void> done;
    post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

 private:
  void run() {
    while (!stopping_) {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [this] { return !tasks_.empty(); });
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

class FakeBackend final : public Backend {
 public:
  void handle(const Json& request, Answer answer) override {
    const auto command = request.value("command", "");
    if (command == "show") return answer.give(Reply::success({{"topic", request["topic"]}}));
    if (command == "slow") {
      const std::lock_guard lock(mutex);
      return kept.push_back(std::move(answer));
    }
    if (command != "lost") answer.give(Reply::failure("no such command"));
  }
  TraceHub& trace() override { return hub; }
  std::string layer_name(const std::string& name) override {
    const auto known = name.find("INBOUND_TRANSPORT_V4");
    return known == std::string::npos ? "" : name.substr(known);
  }
  std::shared_ptr<Relay> connect(const stack::SocketAddress& remote, std::function<void()> changed) override {
    auto relay = std::make_shared<Relay>([this](std::function<void()> task) { loop.post(std::move(task)); },
                                         std::move(changed));
    loop.post([this, relay, remote] { relay->connect(network, remote, nullptr); });
    return relay;
  }
  services::FakeWire* wait_for_wire() {
    services::FakeWire* wire = nullptr;
    for (int i = 0; i < 1000 && wire == nullptr; ++i) {
      loop.call([&] { wire = network.connected.get(); });
      if (wire == nullptr) std::this_thread::sleep_for(1ms);
    }
    return wire;
  }
  void warn(const std::string&) override {}
  std::vector<Answer> kept_answers() {  // of slow requests
    const std::lock_guard lock(mutex);
    return std::exchange(kept, {});
  }
  std::mutex mutex;
  std::vector<Answer> kept;
  int changes = 0;
  TraceHub hub{[] { return 0; }, [this] { ++changes; }};
  services::FakeNetwork network;
  Loop loop;
};

class Control : public testing::Test {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::temp_directory_path() / ("wfptap-control-" + std::to_string(getpid()) + ".sock")).string();
    std::string error;
    server_ = Server::open(path_, backend_, error);
    ASSERT_TRUE(server_) << error;
    ASSERT_EQ(server_->start(), "");
  }
  Client client() {
    std::string error;
    auto client = Client::open(path_, error);
    EXPECT_TRUE(client) << error;
    return std::move(*client);
  }
  std::string path_;
  FakeBackend backend_;
  std::unique_ptr<Server> server_;
};

TEST_F(Control, AnswersSeveralRequestsOfOneClient) {
  auto one = client();
  EXPECT_EQ(one.ask({{"command", "show"}, {"topic", "flows"}}).result["topic"], "flows");
  EXPECT_EQ(one.ask({{"command", "dance"}}).error, "no such command");
  EXPECT_EQ(one.ask({{"command", "show"}, {"topic", "layers"}}).result["topic"], "layers");
}

TEST_F(Control, TheSocketIsPrivateAndGoesAway) {
  struct stat facts {};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  server_.reset();
  EXPECT_NE(stat(path_.c_str(), &facts), 0);
}

TEST_F(Control, ASecondDaemonIsRefusedAndAStaleSocketReplaced) {
  std::string error;
  EXPECT_FALSE(Server::open(path_, backend_, error));
  EXPECT_THAT(error, HasSubstr("another daemon"));
  const auto stale = path_ + "2";
  {
    const tap::FileDescriptor abandoned{socket(AF_UNIX, SOCK_STREAM, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, stale.c_str());
    ASSERT_EQ(bind(abandoned.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(Server::open(stale, backend_, error)) << error;
}

TEST_F(Control, StrangersAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can pretend to be somebody else";
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);  // the file's mode is one barrier, the credentials are the other
  std::string answer;
  std::thread stranger([&] {
    syscall(SYS_setresuid, -1, 12345, -1);  // this thread alone
    answer = client().ask({{"command", "show"}, {"topic", "x"}}).error;
  });
  stranger.join();
  EXPECT_THAT(answer, HasSubstr("owner"));
  EXPECT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
}

TEST_F(Control, MalformedRequestsEndTheConversation) {
  for (const std::string& bytes : {std::string("{\n"), std::string("[]\n"), std::string("\xff\xfe\n"),
                                   std::string(kMaxRequestBytes + 10'000, 'x')}) {
    auto one = client();
    send_text(one.socket(), bytes);
    Json reply;
    ASSERT_EQ(one.reader().next(reply), MessageReader::Status::Message);
    EXPECT_FALSE(reply["ok"]);
    EXPECT_EQ(one.reader().next(reply), MessageReader::Status::End);
  }
  EXPECT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
}

TEST_F(Control, AClientTooManyTakesThePlaceOfTheOneThatIsIdleLongest) {
  std::vector<Client> idle;
  for (std::size_t i = 0; i < kMaxClients; ++i) idle.push_back(client());
  ASSERT_TRUE(idle[0].ask({{"command", "show"}, {"topic", "x"}}).ok);  // so the second one is idle longest
  ASSERT_TRUE(idle[kMaxClients - 1].ask({{"command", "show"}, {"topic", "x"}}).ok) << "and all are served";
  bool admitted = false;  // not at once: those that have just come may be about to ask
  for (int i = 0; i < 100 && !admitted; ++i) {
    if (i > 0) std::this_thread::sleep_for(10ms);
    admitted = client().ask({{"command", "show"}, {"topic", "x"}}).ok;
  }
  EXPECT_TRUE(admitted);
  EXPECT_THAT(idle[1].receive().error, HasSubstr("its place was needed"));
  EXPECT_TRUE(idle[0].ask({{"command", "show"}, {"topic", "x"}}).ok);
}

TEST_F(Control, WhenAllAreBusyAClientTooManyIsToldSo) {
  std::vector<Client> busy;
  for (std::size_t i = 0; i < kMaxClients; ++i) {
    busy.push_back(client());
    ASSERT_TRUE(busy.back().ask({{"command", "trace"}, {"format", "line"}}).ok);
  }
  EXPECT_THAT(client().ask({{"command", "show"}, {"topic", "x"}}).error, HasSubstr("too many clients"));
  busy.pop_back();
  bool admitted = false;
  for (int i = 0; i < 100 && !admitted; ++i) {
    if (i > 0) std::this_thread::sleep_for(10ms);
    admitted = client().ask({{"command", "show"}, {"topic", "x"}}).ok;
  }
  EXPECT_TRUE(admitted);
}

TEST_F(Control, ASlowAnswerKeepsNobodyElseWaiting) {
  auto slow = client();
  slow.send({{"command", "slow"}});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
  while (!slow.has_answer(0ms)) {
    const auto kept = backend_.kept_answers();
    for (const auto& answer : kept) answer.give(Reply::success({{"slow", true}}));
  }
  EXPECT_TRUE(slow.receive().ok);
}

TEST_F(Control, AnAnswerThatNobodyGivesSaysThatTheDaemonEnds) {
  EXPECT_THAT(client().ask({{"command", "lost"}}).error, HasSubstr("ending"));
}

TEST_F(Control, WhoStillWaitsWhenTheDaemonEndsIsToldSo) {
  auto slow = client();
  slow.send({{"command", "slow"}});
  ASSERT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
  server_->stop();
  EXPECT_THAT(slow.receive().error, HasSubstr("ending"));
}

// The first daemon takes nobody: its backlog is full.
TEST_F(Control, ABacklogThatIsFullHoldsNobodyUp) {
  const auto path = path_ + "3";
  const tap::FileDescriptor deaf{socket(AF_UNIX, SOCK_STREAM, 0)};
  const auto address = *socket_address(path);
  ASSERT_EQ(bind(deaf.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(deaf.get(), 1), 0);
  std::vector<tap::FileDescriptor> waiting;
  int reason = 0;
  while (reason == 0) waiting.push_back(try_connect(address, reason));
  EXPECT_EQ(reason, EAGAIN);
  std::string error;
  EXPECT_FALSE(Server::open(path, backend_, error));
  EXPECT_THAT(error, HasSubstr("another daemon uses it"));
  EXPECT_FALSE(Client::open(path, error));
  EXPECT_THAT(error, HasSubstr("takes no more clients"));
  unlink(path.c_str());
}

TEST_F(Control, WhatIsNotASocketIsNotReplaced) {
  const auto path = path_ + "4";
  std::ofstream(path) << "mine";
  std::string error;
  EXPECT_FALSE(Server::open(path, backend_, error));
  EXPECT_THAT(error, HasSubstr("something else is there"));
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

// Who can write in the folder may put another file in the socket's place at any time.
TEST_F(Control, AFileThatTookTheSocketsPlaceIsLeftAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  std::string error;
  const auto path = path_ + "5", victim = path_ + ".victim";
  std::ofstream(victim) << "root's";
  {
    const auto server = Server::open(path, backend_, error);
    ASSERT_TRUE(server) << error;
    ASSERT_EQ(unlink(path.c_str()), 0);
    ASSERT_EQ(symlink(victim.c_str(), path.c_str()), 0);
    EXPECT_EQ(server->give_to(12345), "");
  }
  struct stat facts {};
  ASSERT_EQ(lstat(path.c_str(), &facts), 0) << "it was not ours to remove";
  EXPECT_EQ(facts.st_uid, 0u);
  ASSERT_EQ(stat(victim.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 0u);
  std::filesystem::remove(path);
  std::filesystem::remove(victim);
}

shim::TraceRecord record_at(std::string_view layer, std::uint32_t length) {
  shim::TraceRecord record;
  record.layer_name = layer;
  record.origin = "tcp.data";
  record.action = "permit";
  record.injection_state = "none";
  record.length = length;
  return record;
}

TEST_F(Control, TraceStreamsWhatWasAskedFor) {
  auto one = client();
  ASSERT_TRUE(
      one.ask({{"command", "trace"}, {"layer", "FWPS_LAYER_INBOUND_TRANSPORT_V4"}, {"format", "json"}, {"count", 2}})
          .ok);
  EXPECT_TRUE(backend_.hub.is_wanted());
  for (std::uint32_t i = 0; i < 3; ++i) {
    backend_.hub.classified(record_at("OUTBOUND_TRANSPORT_V4", 100 + i));
    backend_.hub.classified(record_at("INBOUND_TRANSPORT_V4", i));
  }
  Json record;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(one.reader().next(record), MessageReader::Status::Message);
    EXPECT_EQ(record["length"], i);
  }
  EXPECT_EQ(one.reader().next(record), MessageReader::Status::End);
  for (int i = 0; i < 100 && backend_.hub.is_wanted(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(backend_.hub.is_wanted());
}

TEST_F(Control, TraceOfASlowReaderSaysWhatIsMissing) {
  std::int64_t now = 7;
  TraceHub hub{[&] { return now++; }, [] {}};
  int rung = 0;
  const auto listener = hub.listen("", [&] { ++rung; });
  for (std::uint32_t i = 0; i < kMaxListenerRecords + 10; ++i) hub.classified(record_at("INBOUND_TRANSPORT_V4", i));
  EXPECT_EQ(rung, 1) << "for the first of a batch";
  auto batch = listener->take();
  EXPECT_EQ(batch.entries.size(), kMaxListenerRecords);
  EXPECT_EQ(batch.dropped, 10u);
  EXPECT_EQ(batch.entries[0].time_ns, 7);
  EXPECT_EQ(batch.entries[1].time_ns, 8) << "each has its own time";
  hub.classified(record_at("INBOUND_TRANSPORT_V4", 7));
  EXPECT_EQ(rung, 2);
  batch = listener->take();
  EXPECT_EQ(batch.entries.size(), 1u);
  EXPECT_EQ(batch.dropped, 0u);
}

TEST_F(Control, TraceOfUnknownLayersIsRefused) {
  EXPECT_THAT(client().ask({{"command", "trace"}, {"layer", "NOWHERE"}, {"format", "line"}}).error,
              HasSubstr("NOWHERE"));
  EXPECT_FALSE(client().ask({{"command", "trace"}, {"format", "xml"}}).ok);
}

TEST_F(Control, AListenerThatLeavesIsNoticed) {
  {
    auto one = client();
    ASSERT_TRUE(one.ask({{"command", "trace"}, {"format", "line"}}).ok);
    EXPECT_TRUE(backend_.hub.is_wanted());
  }
  for (int i = 0; i < 100 && backend_.hub.is_wanted(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(backend_.hub.is_wanted());
}

// Connects through the backend's fake network; the wire is the peer.
class Connect : public Control {
 protected:
  Client connected() {
    auto one = client();
    send_message(one.socket(), {{"command", "connect"}, {"address", "10.77.0.1"}, {"port", 80}});
    wire_ = backend_.wait_for_wire();
    EXPECT_NE(wire_, nullptr);
    backend_.loop.call([this] { wire_->observer->on_connected(); });
    Json reply;
    EXPECT_EQ(one.reader().next(reply), MessageReader::Status::Message);
    EXPECT_TRUE(reply_from(reply).ok);
    return one;
  }
  std::string chunk(Client& one) {
    std::vector<std::byte> header(4);
    if (!one.reader().read_exactly(header)) return "(gone)";
    const auto length = stack::load_be32(header, 0);
    if (length == kFailure) return "(failure)";
    std::string bytes(length, '\0');
    EXPECT_TRUE(one.reader().read_exactly(std::as_writable_bytes(std::span{bytes})));
    return bytes;
  }
  template <typename Condition>
  bool eventually(Condition condition) {
    bool holds = false;
    for (int i = 0; i < 2000 && !holds; ++i) {
      backend_.loop.call([&] { holds = condition(); });
      if (!holds) std::this_thread::sleep_for(1ms);
    }
    return holds;
  }
  services::FakeWire* wire_ = nullptr;
};

TEST_F(Connect, BytesPassBothWaysAndHalfCloses) {
  auto one = connected();
  send_text(one.socket(), "question");
  EXPECT_TRUE(eventually([&] { return wire_->from_service == "question"; }));
  EXPECT_FALSE(wire_->fin);
  shutdown(one.socket(), SHUT_WR);
  EXPECT_TRUE(eventually([&] { return wire_->fin.load(); }));
  backend_.loop.call([&] { backend_.network.send(*wire_, "answer"); });
  EXPECT_EQ(chunk(one), "answer");
  backend_.loop.call([&] { backend_.network.finish(*wire_); });
  EXPECT_EQ(chunk(one), "");
  EXPECT_TRUE(eventually([&] { return wire_->closed; }));
  EXPECT_FALSE(wire_->reset);
}

TEST_F(Connect, BulkIsByteExactUnderBackPressure) {
  auto one = connected();
  backend_.loop.call([&] { wire_->window = 10'000; });
  constexpr std::size_t kSize = 20'000'000;
  const auto byte_at = [](std::size_t i) { return static_cast<char>(i * 2654435761u >> 13); };
  std::thread sender([&] {
    std::string bytes(100'000, '\0');
    for (std::size_t at = 0; at < kSize; at += bytes.size()) {
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_at(at + i);
      send_text(one.socket(), bytes);
    }
    shutdown(one.socket(), SHUT_WR);
  });
  std::thread peer([&] {  // echoes
    bool done = false;
    while (!done) {
      backend_.loop.call([&] {
        if (wire_->to_service.size() < 100'000) {
          const auto bytes = backend_.network.take(*wire_);
          wire_->window = 300'000;
          if (!bytes.empty()) backend_.network.send(*wire_, bytes);
          if (wire_->fin && wire_->from_service.empty() && bytes.empty()) {
            backend_.network.finish(*wire_);
            done = true;
          }
        }
      });
    }
  });
  std::size_t received = 0;
  bool right = true;
  for (auto bytes = chunk(one); !bytes.empty() && right; bytes = chunk(one)) {
    for (std::size_t i = 0; i < bytes.size(); ++i) right = right && bytes[i] == byte_at(received + i);
    received += bytes.size();
  }
  sender.join();
  peer.join();
  EXPECT_TRUE(right);
  EXPECT_EQ(received, kSize);
}

TEST_F(Connect, ARefusedConnectionSaysSo) {
  auto one = client();
  send_message(one.socket(), {{"command", "connect"}, {"address", "10.77.0.1"}, {"port", 80}});
  wire_ = backend_.wait_for_wire();
  backend_.loop.call([this] { wire_->observer->on_failed(stack::Error::ConnectionRefused); });
  Json reply;
  ASSERT_EQ(one.reader().next(reply), MessageReader::Status::Message);
  EXPECT_THAT(reply_from(reply).error, HasSubstr(std::string(stack::name_of(stack::Error::ConnectionRefused))));
}

TEST_F(Connect, AResetIsNoOrderlyEnd) {
  auto one = connected();
  backend_.loop.call([this] { wire_->observer->on_failed(stack::Error::ConnectionReset); });
  EXPECT_EQ(chunk(one), "(failure)");
}

TEST_F(Connect, AClientThatLeavesResetsItsConnection) {
  {
    auto one = connected();
    send_text(one.socket(), "x");
  }
  EXPECT_TRUE(eventually([&] { return wire_->reset; }));
}

TEST_F(Connect, TheDaemonMayEndMeanwhile) {
  auto one = connected();
  server_->stop();
  EXPECT_EQ(chunk(one), "(failure)");
  EXPECT_TRUE(eventually([&] { return wire_->reset; }));
}

TEST_F(Connect, TheDaemonMayEndBeforeThePeerAnswers) {
  auto one = client();
  one.send({{"command", "connect"}, {"address", "10.77.0.1"}, {"port", 80}});
  wire_ = backend_.wait_for_wire();
  server_->stop();
  EXPECT_THAT(one.receive().error, HasSubstr("ending"));
  EXPECT_TRUE(eventually([&] { return wire_->reset; }));
}

TEST_F(Connect, AKilledClientThatWaitedForThePeerIsForgottenAtOnce) {
  std::vector<Client> all;
  for (std::size_t i = 0; i < kMaxClients + 26; ++i) {
    auto one = client();
    one.send({{"command", "connect"}, {"address", "10.77.0.1"}, {"port", 80}});
    wire_ = backend_.wait_for_wire();
    ASSERT_NE(wire_, nullptr);
    backend_.loop.call([this] { wire_->observer = nullptr; });
    backend_.loop.call([this] { backend_.network.connected.reset(); });
  }
  EXPECT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
}

TEST_F(Connect, TheDaemonMayEndWhileThePeerReadsNothing) {
  auto one = connected();
  backend_.loop.call([&] { wire_->window = 0; });
  std::thread sender([&] { send_text(one.socket(), std::string(8 << 20, 'x')); });  // more than all queues hold
  EXPECT_TRUE(eventually([&] { return wire_->blocked; }));
  EXPECT_TRUE(client().ask({{"command", "show"}, {"topic", "x"}}).ok);
  server_->stop();
  sender.join();
  EXPECT_EQ(chunk(one), "(failure)");
}

// The peer has finished, and takes the rest of what was sent to it later: that is no reason to cut it off.
TEST_F(Connect, WhatIsQueuedAtThePeersEndStillArrives) {
  auto one = connected();
  backend_.loop.call([&] { wire_->window = 10; });
  send_text(one.socket(), std::string(1000, 'x'));
  shutdown(one.socket(), SHUT_WR);
  EXPECT_TRUE(eventually([&] { return wire_->blocked; }));
  backend_.loop.call([&] { backend_.network.finish(*wire_); });
  EXPECT_EQ(chunk(one), "");
  std::string got;
  EXPECT_TRUE(eventually([&] {
    wire_->window = 100;
    got += backend_.network.take(*wire_);
    return wire_->fin.load();
  }));
  EXPECT_EQ(got.size() + wire_->from_service.size(), 1000u);
  std::array<std::byte, 1> nothing;
  EXPECT_EQ(one.reader().read(nothing), 0u) << "hung up";
  EXPECT_FALSE(wire_->reset);
}

}  // namespace
}  // namespace app::control
