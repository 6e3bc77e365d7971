// Where a file that a user named is to be made: its folder, held open, and its name in there. The way to the folder
// leads through no symbolic link that somebody put there to lead us elsewhere: wfptap runs as root, and what it makes,
// truncates and gives away must be what its caller named.
//
// What is trusted: what belongs to root or to us. A link of somebody else is followed only to a folder of the same
// somebody. Without privileges over other users (an ordinary user, also as root of a user namespace of its own) the
// kernel's rule is enough: in a sticky folder that others can write, only links of us or of the folder's owner.
#pragma once

#include <sys/types.h>

#include <string>

#include "src/app/cli/option_values.hpp"
#include "tap/file_descriptor.hpp"

namespace app::files {

struct Place {
  tap::FileDescriptor folder;
  std::string name;          // not ., .. or empty
  bool is_followed = false;  // the name may be opened through: a link of /proc that stands for a descriptor
  uid_t folder_owner = 0;
  bool is_ours = false;    // nobody but root and us can make or rename files in the folder
  bool is_sticky = false;  // others can make files there, and nobody else's can be renamed
};

enum class LastLink { Follow, Keep };  // the last part of the path, when it is a symbolic link

Parsed<Place> find_place(const std::string& path, LastLink last);

// Whether what is done here can harm other users: root, but not root of a user namespace that has nobody else.
bool has_power_over_others();

}  // namespace app::files
