// The control socket's file: made with mode 0600, given to the daemon's user, removed at the end, and nothing else in
// its place ever touched: a folder may belong to somebody who swaps files while we look (src/app/files/place.hpp).
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "src/app/files/place.hpp"

namespace app::control {

class SocketFile {
 public:
  // A listening socket, which does not block. Null on failure, with `error` set. A file that nobody listens on any more
  // is replaced. Returns at once, whatever another daemon on the same path does.
  static std::unique_ptr<SocketFile> make(const std::string& path, std::string& error);
  ~SocketFile();  // removes the file, when it is still the one that was made
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  int listener() const { return listener_.get(); }
  const std::string& path() const { return path_; }
  // Empty, or what failed.
  std::string give_to(uid_t owner);

 private:
  SocketFile(std::string path, files::Place place) : path_(std::move(path)), place_(std::move(place)) {}
  std::string bind_and_listen();
  bool bind_private();
  std::string why_taken();  // the path; empty: nothing is there any more
  bool remember_file();

  const std::string path_;
  const files::Place place_;
  tap::FileDescriptor listener_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace app::control
