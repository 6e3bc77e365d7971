// The C++ part of bad_end.c.
#include <stdexcept>

extern "C" void EndByException() { throw std::runtime_error("nobody catches this"); }
