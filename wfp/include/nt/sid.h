/* Security identifiers as a driver may copy and compare them. Compiles as C11 and as C++20. Any IRQL. */
#ifndef WFPTAP_NT_SID_H
#define WFPTAP_NT_SID_H

#include "nt/rtl.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SID_REVISION 1
#define SID_MAX_SUB_AUTHORITIES 15
#define SECURITY_NT_AUTHORITY \
  { 0, 0, 0, 0, 0, 5 }
#define SECURITY_LOCAL_SYSTEM_RID 0x00000012
#define SECURITY_LOCAL_SERVICE_RID 0x00000013

typedef struct _SID_IDENTIFIER_AUTHORITY {
  UCHAR Value[6];
} SID_IDENTIFIER_AUTHORITY, *PSID_IDENTIFIER_AUTHORITY;
typedef struct _SID {
  UCHAR Revision;
  UCHAR SubAuthorityCount;
  SID_IDENTIFIER_AUTHORITY IdentifierAuthority;
  ULONG SubAuthority[1];
} SID, *PISID;
typedef PVOID PSID;
typedef struct _SID_AND_ATTRIBUTES {
  PSID Sid;
  ULONG Attributes;
} SID_AND_ATTRIBUTES, *PSID_AND_ATTRIBUTES;

FORCEINLINE BOOLEAN RtlValidSid(PSID Sid) {
  const SID* sid = (const SID*)Sid;
  return (BOOLEAN)(sid != NULL && sid->Revision == SID_REVISION && sid->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES);
}
FORCEINLINE ULONG RtlLengthSid(PSID Sid) { return 8u + 4u * ((const SID*)Sid)->SubAuthorityCount; }
FORCEINLINE NTSTATUS RtlCopySid(ULONG DestinationSidLength, PSID DestinationSid, PSID SourceSid) {
  if (RtlLengthSid(SourceSid) > DestinationSidLength) return STATUS_BUFFER_TOO_SMALL;
  memcpy(DestinationSid, SourceSid, RtlLengthSid(SourceSid));
  return STATUS_SUCCESS;
}
FORCEINLINE BOOLEAN RtlEqualSid(PSID Sid1, PSID Sid2) {
  return (BOOLEAN)(RtlLengthSid(Sid1) == RtlLengthSid(Sid2) && memcmp(Sid1, Sid2, RtlLengthSid(Sid1)) == 0);
}

#ifdef __cplusplus
}
#endif

#endif
