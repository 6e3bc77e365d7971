// The kernel's side of the flow benchmarks: a client that measures, and the same services as a reference on kernel TCP.
//
//   peer congestion                         which congestion control every socket of this program uses
//   peer serve                              echo on 7, discard on 9, http (/ and /bytes/N) on 80, one thread, until killed
//   peer send ADDRESS SECONDS               bulk to port 9: Gbit/s
//   peer receive ADDRESS SECONDS            bulk from http://ADDRESS/bytes/...: Gbit/s
//   peer round-trip ADDRESS SECONDS         1 byte to port 7 and back: median and 99th percentile in µs
//   peer connections ADDRESS SECONDS        connect, GET /, read to the end, close: connections a second
//
// The kernel's default congestion control differs from machine to machine, so every socket asks for cubic, on both sides.
// A measurement prints one line: its figures, separated by spaces. Only for addresses of a namespace that a script made.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kChunk = 256 * 1024;
constexpr int kEcho = 7, kDiscard = 9, kHttp = 80;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_storage parse_address(const char* text, int port, socklen_t& size) {
  sockaddr_storage storage{};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof *v4;
  } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    size = sizeof *v6;
  } else {
    fail("address");
  }
  return storage;
}

// Before it connects or listens; accepted sockets inherit it.
void use_cubic(int fd) {
  constexpr char kName[] = "cubic";
  if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kName, sizeof kName - 1) != 0) fail("TCP_CONGESTION cubic");
}

int connect_to(const char* address, int port) {
  socklen_t size = 0;
  const auto storage = parse_address(address, port, size);
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) use_cubic(fd);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0) fail("connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

void write_all(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const auto n = write(fd, data, size);
    if (n <= 0) fail("write");
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// --- measurements ---

void measure_send(const char* address, double seconds) {
  const int fd = connect_to(address, kDiscard);
  const std::vector<char> chunk(kChunk, 'x');
  const auto start = Clock::now();
  double bytes = 0;
  while (seconds_since(start) < seconds) {
    write_all(fd, chunk.data(), chunk.size());
    bytes += static_cast<double>(chunk.size());
  }
  // What is still queued here has not been sent: subtract nothing, but end the clock when the peer has taken the FIN.
  shutdown(fd, SHUT_WR);
  char end;
  if (read(fd, &end, 1) < 0) fail("read");
  std::printf("%.3f\n", bytes * 8 / seconds_since(start) / 1e9);
}

void measure_receive(const char* address, double seconds) {
  const int fd = connect_to(address, kHttp);
  const std::string request = "GET /bytes/1000000000000 HTTP/1.1\r\nHost: bench\r\n\r\n";
  write_all(fd, request.data(), request.size());
  std::vector<char> chunk(kChunk);
  const auto start = Clock::now();
  double bytes = 0;
  while (seconds_since(start) < seconds) {
    const auto n = read(fd, chunk.data(), chunk.size());
    if (n <= 0) fail("read");
    bytes += static_cast<double>(n);
  }
  std::printf("%.3f\n", bytes * 8 / seconds_since(start) / 1e9);
}

void measure_round_trip(const char* address, double seconds) {
  const int fd = connect_to(address, kEcho);
  std::vector<double> micros;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    const auto sent = Clock::now();
    char byte = 'x';
    write_all(fd, &byte, 1);
    if (read(fd, &byte, 1) != 1) fail("read");
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - sent).count());
  }
  std::sort(micros.begin(), micros.end());
  std::printf("%.2f %.2f\n", micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
}

void measure_connections(const char* address, double seconds) {
  const std::string request = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
  std::vector<char> chunk(kChunk);
  long count = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    const int fd = connect_to(address, kHttp);
    write_all(fd, request.data(), request.size());
    while (read(fd, chunk.data(), chunk.size()) > 0) {
    }
    close(fd);
    ++count;
  }
  std::printf("%.0f\n", static_cast<double>(count) / seconds_since(start));
}

void print_congestion() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  use_cubic(fd);
  char name[16] = {};
  socklen_t size = sizeof name;
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0) fail("TCP_CONGESTION");
  std::printf("%s\n", name);
}

// --- the reference services ---

struct Client {
  int port = 0;
  unsigned long long to_send = 0;  // http: bytes of the body that are left
  bool close_after = false;
};

class Server {
 public:
  Server() : epoll_(epoll_create1(EPOLL_CLOEXEC)), chunk_(kChunk, 'x') {
    for (const int port : {kEcho, kDiscard, kHttp}) listen_on(port);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(256);
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) handle(events[static_cast<std::size_t>(i)]);
    }
  }

 private:
  void listen_on(int port) {
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1, off = 0;
    use_cubic(fd);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<std::uint16_t>(port));
    if (bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 || listen(fd, 1024) != 0) fail("listen");
    listeners_[fd] = port;
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }

  void watch(int fd, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void handle(const epoll_event& event) {
    const int fd = event.data.fd;
    if (const auto listener = listeners_.find(fd); listener != listeners_.end())
      return accept_all(fd, listener->second);
    auto& client = clients_[fd];
    if ((event.events & EPOLLIN) != 0 && !receive(fd, client)) return drop(fd);
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) return drop(fd);
    if (client.to_send > 0) send_body(fd, client);
  }

  void accept_all(int listener, int port) {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      clients_[fd] = Client{port, 0, false};
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  bool receive(int fd, Client& client) {
    const auto n = read(fd, input_.data(), input_.size());
    if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
    if (n < 0 || client.port == kDiscard) return true;
    if (client.port == kEcho) return write(fd, input_.data(), static_cast<std::size_t>(n)) == n;
    return answer(fd, client, std::string(input_.data(), static_cast<std::size_t>(n)));
  }

  // One request in one read, which is what the benchmark's client sends.
  bool answer(int fd, Client& client, const std::string& request) {
    client.close_after = request.find("Connection: close") != std::string::npos;
    if (request.rfind("GET /bytes/", 0) == 0) {
      client.to_send = std::strtoull(request.c_str() + 11, nullptr, 10);
      const auto head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(client.to_send) + "\r\n\r\n";
      if (write(fd, head.data(), head.size()) < 0) return false;
      watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
      return true;
    }
    static const std::string page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
    if (write(fd, page.data(), page.size()) < 0) return false;
    if (client.close_after) shutdown(fd, SHUT_WR);
    return true;
  }

  void send_body(int fd, Client& client) {
    const auto size = std::min<unsigned long long>(client.to_send, chunk_.size());
    const auto n = write(fd, chunk_.data(), size);
    if (n < 0 && errno != EAGAIN) return drop(fd);
    if (n > 0) client.to_send -= static_cast<unsigned long long>(n);
    if (client.to_send == 0) watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  }

  void drop(int fd) {
    clients_.erase(fd);
    close(fd);
  }

  int epoll_;
  std::vector<char> chunk_;
  std::vector<char> input_ = std::vector<char>(kChunk);
  std::unordered_map<int, int> listeners_;
  std::unordered_map<int, Client> clients_;
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "serve") Server().run();
  if (mode == "congestion") {
    print_congestion();
    return 0;
  }
  if (argc != 4) {
    std::fprintf(stderr, "usage: peer serve | peer send|receive|round-trip|connections ADDRESS SECONDS\n");
    return 2;
  }
  const double seconds = std::atof(argv[3]);
  if (mode == "send")
    measure_send(argv[2], seconds);
  else if (mode == "receive")
    measure_receive(argv[2], seconds);
  else if (mode == "round-trip")
    measure_round_trip(argv[2], seconds);
  else if (mode == "connections")
    measure_connections(argv[2], seconds);
  else
    return 2;
  return 0;
}
