/* Two source files of one driver that both define their GUIDs, as driver samples do. They must link. */
#include <initguid.h>

#include "fwpmk.h"

DEFINE_GUID(WFPTAP_TEST_GUID, 0x01020304, 0x0506, 0x0708, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10);

const GUID* guid_from_a(void);
const GUID* layer_from_c(void);
const GUID* guid_from_a(void) { return &WFPTAP_TEST_GUID; }
const GUID* layer_from_c(void) { return &FWPM_LAYER_INBOUND_TRANSPORT_V4; }
