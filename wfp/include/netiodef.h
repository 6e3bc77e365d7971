/* Network layer identifiers that WFP structures use: compartments, address prefixes and discard reasons. */
#ifndef WFPTAP_NETIODEF_H
#define WFPTAP_NETIODEF_H

#include <fwps/discard_reasons.h>
#include <ifdef.h>
#include <ws2ipdef.h>

typedef ULONG COMPARTMENT_ID, *PCOMPARTMENT_ID;
#define UNSPECIFIED_COMPARTMENT_ID ((COMPARTMENT_ID)0)
#define DEFAULT_COMPARTMENT_ID ((COMPARTMENT_ID)1)

typedef struct _IP_ADDRESS_PREFIX {
  SOCKADDR_INET Prefix;
  UINT8 PrefixLength; /* bits */
} IP_ADDRESS_PREFIX, *PIP_ADDRESS_PREFIX;

#endif
