/* Interface identifiers. */
#ifndef WFPTAP_IFDEF_H
#define WFPTAP_IFDEF_H

#include <nt/types.h>

typedef ULONG NET_IFINDEX, *PNET_IFINDEX;
typedef NET_IFINDEX IF_INDEX, *PIF_INDEX;
typedef ULONG NET_IF_COMPARTMENT_ID;
#define IFI_UNSPECIFIED ((IF_INDEX)0)

typedef union _NET_LUID {
  ULONG64 Value;
  struct {
    ULONG64 Reserved : 24;
    ULONG64 NetLuidIndex : 24;
    ULONG64 IfType : 16;
  } Info;
} NET_LUID, *PNET_LUID, IF_LUID, *PIF_LUID;

#endif
