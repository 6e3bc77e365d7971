/* The second of two files that define the same GUID; see guid_twice_a.c. */
#define INITGUID
#include <guiddef.h>

DEFINE_GUID(WFPTAP_TEST_GUID, 0x01020304, 0x0506, 0x0708, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10);

const GUID* guid_from_b(void);
const GUID* guid_from_b(void) { return &WFPTAP_TEST_GUID; }
