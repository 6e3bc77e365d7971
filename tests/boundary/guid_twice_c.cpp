// A third, in C++, where a constant has internal linkage unless it was declared otherwise; see guid_twice_a.c.
#include <initguid.h>

#include "fwpmk.h"

DEFINE_GUID(WFPTAP_TEST_GUID, 0x01020304, 0x0506, 0x0708, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10);

extern "C" const GUID* guid_from_c(void);
extern "C" const GUID* guid_from_c(void) { return &WFPTAP_TEST_GUID; }
