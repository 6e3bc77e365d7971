// A folder for the control socket that nobody else may enter; removed, with what is in it, at the end.
#pragma once

#include <string>

namespace app {

class PrivateFolder {
 public:
  PrivateFolder();  // in TMPDIR, or /tmp
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  const std::string& path() const { return path_; }  // empty: it could not be made

 private:
  std::string path_;
};

}  // namespace app
