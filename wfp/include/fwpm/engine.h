/* Management functions: sessions, transactions, and add, delete, get and enumerate for each kind of object.
 *
 * All run at PASSIVE_LEVEL on any thread, except FwpmBfeStateGet0 (<= DISPATCH_LEVEL). An engine handle carries at
 * most one transaction. Errors are the STATUS_FWP_* codes of nt/ntstatus.h. What a Get or Enum function returns
 * belongs to the caller until FwpmFreeMemory0. Source: the documented functions of these names. */
#ifndef WFPTAP_FWPM_ENGINE_H
#define WFPTAP_FWPM_ENGINE_H

#include <fwpm/enumeration.h>
#include <fwpm/objects.h>

#define FWPM_TXN_READ_ONLY 0x00000001

/* authnService of FwpmEngineOpen0. */
#define RPC_C_AUTHN_WINNT 10
#define RPC_C_AUTHN_DEFAULT 0xFFFFFFFFu

struct _SEC_WINNT_AUTH_IDENTITY_W;
typedef void* PSECURITY_DESCRIPTOR;
typedef void(CALLBACK* FWPM_SERVICE_STATE_CHANGE_CALLBACK0)(void* context, FWPM_SERVICE_STATE newState);

#ifdef __cplusplus
extern "C" {
#endif

void NTAPI FwpmFreeMemory0(void** p);

FWPM_SERVICE_STATE NTAPI FwpmBfeStateGet0(void);
NTSTATUS NTAPI FwpmBfeStateSubscribeChanges0(void* deviceObject, FWPM_SERVICE_STATE_CHANGE_CALLBACK0 callback,
                                             void* context, HANDLE* changeHandle);
NTSTATUS NTAPI FwpmBfeStateUnsubscribeChanges0(HANDLE changeHandle);

NTSTATUS NTAPI FwpmEngineOpen0(PCWSTR serverName, UINT32 authnService,
                               struct _SEC_WINNT_AUTH_IDENTITY_W* authIdentity, const FWPM_SESSION0* session,
                               HANDLE* engineHandle);
NTSTATUS NTAPI FwpmEngineClose0(HANDLE engineHandle);

NTSTATUS NTAPI FwpmTransactionBegin0(HANDLE engineHandle, UINT32 flags);
NTSTATUS NTAPI FwpmTransactionCommit0(HANDLE engineHandle);
NTSTATUS NTAPI FwpmTransactionAbort0(HANDLE engineHandle);

NTSTATUS NTAPI FwpmProviderAdd0(HANDLE engineHandle, const FWPM_PROVIDER0* provider, PSECURITY_DESCRIPTOR sd);
NTSTATUS NTAPI FwpmProviderDeleteByKey0(HANDLE engineHandle, const GUID* key);
NTSTATUS NTAPI FwpmProviderGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_PROVIDER0** provider);

NTSTATUS NTAPI FwpmProviderContextAdd0(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT0* providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64* id);
NTSTATUS NTAPI FwpmProviderContextAdd1(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT1* providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64* id);
NTSTATUS NTAPI FwpmProviderContextAdd2(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT2* providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64* id);
NTSTATUS NTAPI FwpmProviderContextAdd3(HANDLE engineHandle, const FWPM_PROVIDER_CONTEXT3* providerContext,
                                       PSECURITY_DESCRIPTOR sd, UINT64* id);
NTSTATUS NTAPI FwpmProviderContextDeleteById0(HANDLE engineHandle, UINT64 id);
NTSTATUS NTAPI FwpmProviderContextDeleteByKey0(HANDLE engineHandle, const GUID* key);
NTSTATUS NTAPI FwpmProviderContextGetById0(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT0** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetById1(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT1** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetById2(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT2** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetById3(HANDLE engineHandle, UINT64 id, FWPM_PROVIDER_CONTEXT3** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetByKey0(HANDLE engineHandle, const GUID* key,
                                            FWPM_PROVIDER_CONTEXT0** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetByKey1(HANDLE engineHandle, const GUID* key,
                                            FWPM_PROVIDER_CONTEXT1** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetByKey2(HANDLE engineHandle, const GUID* key,
                                            FWPM_PROVIDER_CONTEXT2** providerContext);
NTSTATUS NTAPI FwpmProviderContextGetByKey3(HANDLE engineHandle, const GUID* key,
                                            FWPM_PROVIDER_CONTEXT3** providerContext);

NTSTATUS NTAPI FwpmSubLayerAdd0(HANDLE engineHandle, const FWPM_SUBLAYER0* subLayer, PSECURITY_DESCRIPTOR sd);
NTSTATUS NTAPI FwpmSubLayerDeleteByKey0(HANDLE engineHandle, const GUID* key);
NTSTATUS NTAPI FwpmSubLayerGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_SUBLAYER0** subLayer);
NTSTATUS NTAPI FwpmSubLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_SUBLAYER_ENUM_TEMPLATE0* enumTemplate,
                                             HANDLE* enumHandle);
NTSTATUS NTAPI FwpmSubLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                 FWPM_SUBLAYER0*** entries, UINT32* numEntriesReturned);
NTSTATUS NTAPI FwpmSubLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);

NTSTATUS NTAPI FwpmLayerGetById0(HANDLE engineHandle, UINT16 id, FWPM_LAYER0** layer);
NTSTATUS NTAPI FwpmLayerGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_LAYER0** layer);
NTSTATUS NTAPI FwpmLayerCreateEnumHandle0(HANDLE engineHandle, const FWPM_LAYER_ENUM_TEMPLATE0* enumTemplate,
                                          HANDLE* enumHandle);
NTSTATUS NTAPI FwpmLayerEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                              FWPM_LAYER0*** entries, UINT32* numEntriesReturned);
NTSTATUS NTAPI FwpmLayerDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);

NTSTATUS NTAPI FwpmCalloutAdd0(HANDLE engineHandle, const FWPM_CALLOUT0* callout, PSECURITY_DESCRIPTOR sd,
                               UINT32* id);
NTSTATUS NTAPI FwpmCalloutDeleteById0(HANDLE engineHandle, UINT32 id);
NTSTATUS NTAPI FwpmCalloutDeleteByKey0(HANDLE engineHandle, const GUID* key);
NTSTATUS NTAPI FwpmCalloutGetById0(HANDLE engineHandle, UINT32 id, FWPM_CALLOUT0** callout);
NTSTATUS NTAPI FwpmCalloutGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_CALLOUT0** callout);
NTSTATUS NTAPI FwpmCalloutCreateEnumHandle0(HANDLE engineHandle, const FWPM_CALLOUT_ENUM_TEMPLATE0* enumTemplate,
                                            HANDLE* enumHandle);
NTSTATUS NTAPI FwpmCalloutEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                                FWPM_CALLOUT0*** entries, UINT32* numEntriesReturned);
NTSTATUS NTAPI FwpmCalloutDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);

NTSTATUS NTAPI FwpmFilterAdd0(HANDLE engineHandle, const FWPM_FILTER0* filter, PSECURITY_DESCRIPTOR sd, UINT64* id);
NTSTATUS NTAPI FwpmFilterDeleteById0(HANDLE engineHandle, UINT64 id);
NTSTATUS NTAPI FwpmFilterDeleteByKey0(HANDLE engineHandle, const GUID* key);
NTSTATUS NTAPI FwpmFilterGetById0(HANDLE engineHandle, UINT64 id, FWPM_FILTER0** filter);
NTSTATUS NTAPI FwpmFilterGetByKey0(HANDLE engineHandle, const GUID* key, FWPM_FILTER0** filter);
NTSTATUS NTAPI FwpmFilterCreateEnumHandle0(HANDLE engineHandle, const FWPM_FILTER_ENUM_TEMPLATE0* enumTemplate,
                                           HANDLE* enumHandle);
NTSTATUS NTAPI FwpmFilterEnum0(HANDLE engineHandle, HANDLE enumHandle, UINT32 numEntriesRequested,
                               FWPM_FILTER0*** entries, UINT32* numEntriesReturned);
NTSTATUS NTAPI FwpmFilterDestroyEnumHandle0(HANDLE engineHandle, HANDLE enumHandle);

#ifdef __cplusplus
}
#endif

/* Digitless names. */
#define FwpmFreeMemory FwpmFreeMemory0
#define FwpmBfeStateGet FwpmBfeStateGet0
#define FwpmBfeStateSubscribeChanges FwpmBfeStateSubscribeChanges0
#define FwpmBfeStateUnsubscribeChanges FwpmBfeStateUnsubscribeChanges0
#define FwpmEngineOpen FwpmEngineOpen0
#define FwpmEngineClose FwpmEngineClose0
#define FwpmTransactionBegin FwpmTransactionBegin0
#define FwpmTransactionCommit FwpmTransactionCommit0
#define FwpmTransactionAbort FwpmTransactionAbort0
#define FwpmProviderAdd FwpmProviderAdd0
#define FwpmProviderDeleteByKey FwpmProviderDeleteByKey0
#define FwpmProviderGetByKey FwpmProviderGetByKey0
#define FwpmProviderContextAdd FwpmProviderContextAdd3
#define FwpmProviderContextDeleteById FwpmProviderContextDeleteById0
#define FwpmProviderContextDeleteByKey FwpmProviderContextDeleteByKey0
#define FwpmProviderContextGetById FwpmProviderContextGetById3
#define FwpmProviderContextGetByKey FwpmProviderContextGetByKey3
#define FwpmSubLayerAdd FwpmSubLayerAdd0
#define FwpmSubLayerDeleteByKey FwpmSubLayerDeleteByKey0
#define FwpmSubLayerGetByKey FwpmSubLayerGetByKey0
#define FwpmSubLayerCreateEnumHandle FwpmSubLayerCreateEnumHandle0
#define FwpmSubLayerEnum FwpmSubLayerEnum0
#define FwpmSubLayerDestroyEnumHandle FwpmSubLayerDestroyEnumHandle0
#define FwpmLayerGetById FwpmLayerGetById0
#define FwpmLayerGetByKey FwpmLayerGetByKey0
#define FwpmLayerCreateEnumHandle FwpmLayerCreateEnumHandle0
#define FwpmLayerEnum FwpmLayerEnum0
#define FwpmLayerDestroyEnumHandle FwpmLayerDestroyEnumHandle0
#define FwpmCalloutAdd FwpmCalloutAdd0
#define FwpmCalloutDeleteById FwpmCalloutDeleteById0
#define FwpmCalloutDeleteByKey FwpmCalloutDeleteByKey0
#define FwpmCalloutGetById FwpmCalloutGetById0
#define FwpmCalloutGetByKey FwpmCalloutGetByKey0
#define FwpmCalloutCreateEnumHandle FwpmCalloutCreateEnumHandle0
#define FwpmCalloutEnum FwpmCalloutEnum0
#define FwpmCalloutDestroyEnumHandle FwpmCalloutDestroyEnumHandle0
#define FwpmFilterAdd FwpmFilterAdd0
#define FwpmFilterDeleteById FwpmFilterDeleteById0
#define FwpmFilterDeleteByKey FwpmFilterDeleteByKey0
#define FwpmFilterGetById FwpmFilterGetById0
#define FwpmFilterGetByKey FwpmFilterGetByKey0
#define FwpmFilterCreateEnumHandle FwpmFilterCreateEnumHandle0
#define FwpmFilterEnum FwpmFilterEnum0
#define FwpmFilterDestroyEnumHandle FwpmFilterDestroyEnumHandle0

#endif
