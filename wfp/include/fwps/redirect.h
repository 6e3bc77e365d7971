/* Redirecting binds and connects: the writable layer data of the redirect layers, and redirect handles.
 *
 * A request belongs to the engine; a callout writes the copy that FwpsAcquireWritableLayerDataPointer0 gives it, until
 * FwpsApplyModifiedLayerData0. IRQL: handles are made and destroyed at PASSIVE_LEVEL, the query runs at <=
 * DISPATCH_LEVEL. Declared only so far: the functions have no body. */
#ifndef WFPTAP_FWPS_REDIRECT_H
#define WFPTAP_FWPS_REDIRECT_H

#include <guiddef.h>
#include <ws2ipdef.h>

typedef struct _FWPS_CONNECT_REQUEST0 {
  SOCKADDR_STORAGE localAddressAndPort; /* read only */
  SOCKADDR_STORAGE remoteAddressAndPort;
  UINT64 portReservationToken;
  DWORD localRedirectTargetPID;
  struct _FWPS_CONNECT_REQUEST0* previousVersion; /* read only; NULL when unmodified */
  UINT64 modifierFilterId;                        /* read only */
  HANDLE localRedirectHandle;
  void* localRedirectContext; /* the engine owns it once applied */
  SIZE_T localRedirectContextSize;
} FWPS_CONNECT_REQUEST0;

typedef struct _FWPS_BIND_REQUEST0 {
  SOCKADDR_STORAGE localAddressAndPort;
  UINT64 portReservationToken;
  struct _FWPS_BIND_REQUEST0* previousVersion;
  UINT64 modifierFilterId;
} FWPS_BIND_REQUEST0;

typedef enum FWPS_CONNECTION_REDIRECT_STATE_ {
  FWPS_CONNECTION_NOT_REDIRECTED = 0,
  FWPS_CONNECTION_REDIRECTED_BY_SELF = 1,
  FWPS_CONNECTION_REDIRECTED_BY_OTHER = 2,
  FWPS_CONNECTION_PREVIOUSLY_REDIRECTED_BY_SELF = 3,
  FWPS_CONNECTION_REDIRECT_STATE_MAX = 4
} FWPS_CONNECTION_REDIRECT_STATE;

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS NTAPI FwpsRedirectHandleCreate0(const GUID* providerGuid, UINT32 flags, HANDLE* redirectHandle);
void NTAPI FwpsRedirectHandleDestroy0(HANDLE redirectHandle);
FWPS_CONNECTION_REDIRECT_STATE NTAPI FwpsQueryConnectionRedirectState0(HANDLE redirectRecords, HANDLE redirectHandle,
                                                                       void** redirectContext);

#ifdef __cplusplus
}
#endif

#define FWPS_CONNECT_REQUEST FWPS_CONNECT_REQUEST0
#define FWPS_BIND_REQUEST FWPS_BIND_REQUEST0
#define FwpsRedirectHandleCreate FwpsRedirectHandleCreate0
#define FwpsRedirectHandleDestroy FwpsRedirectHandleDestroy0
#define FwpsQueryConnectionRedirectState FwpsQueryConnectionRedirectState0

#endif
