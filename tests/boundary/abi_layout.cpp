// What drivers rely on and no row of tests/tables says; scripts/header_facts.py checks those rows.
#include "fwpsk.h"

namespace {

// The metadata flags that traces of the awkward packets show together: a segment without an endpoint, sent and received.
static_assert((FWPS_METADATA_FIELD_SYSTEM_FLAGS | FWPS_METADATA_FIELD_RESERVED |
               FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE | FWPS_METADATA_FIELD_COMPARTMENT_ID |
               FWPS_METADATA_FIELD_TRANSPORT_ENDPOINT_HANDLE) == 0x8cc0);
static_assert((FWPS_METADATA_FIELD_IP_HEADER_SIZE | FWPS_METADATA_FIELD_RESERVED |
               FWPS_METADATA_FIELD_TRANSPORT_HEADER_SIZE | FWPS_METADATA_FIELD_COMPARTMENT_ID) == 0xc84);
// Windows' families are not Linux'.
static_assert(AF_INET == 2 && AF_INET6 == 23);
// NET_BUFFER_LISTs and what carries an SLIST are aligned as pool memory is.
static_assert(alignof(NET_BUFFER_LIST) == 16 && alignof(NET_BUFFER) == 16 && alignof(SLIST_HEADER) == 16);

}  // namespace
